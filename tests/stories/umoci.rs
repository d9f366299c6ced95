//! umoci: an image is pulled, unpacked, changed, and pushed as a new one.

use berth_testkit::{BerthServer, Image, Layout, Program, Scratch, random_bytes, system, tar_of};

#[test]
fn an_image_is_changed_and_pushed_again() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let payload = random_bytes(1, 50_000);
    let image = Image::of("amd64", &[tar_of(&[("payload", &payload)])]);
    let repository = server.repository("library/umoci");
    repository.push_image("base", &image).expect("pushed");

    let copy = || {
        let skopeo = Program::new(system("skopeo")).args(["--insecure-policy", "copy", "--preserve-digests"]);
        skopeo.args(["--src-tls-verify=false", "--dest-tls-verify=false"])
    };
    let layout = format!("{}:base", scratch.join("layout").display());
    copy().arg(format!("docker://{}", server.image("library/umoci:base"))).arg(format!("oci:{layout}")).run();
    let umoci = |arguments: &[&str]| Program::as_root(system("umoci")).args(arguments).folder(scratch.path());
    umoci(&["unpack", "--image", &layout, "bundle"]).run();
    assert_eq!(std::fs::read(scratch.join("bundle/rootfs/payload")).expect("unpacked"), payload);
    scratch.write("bundle/rootfs/added", "by umoci");
    let changed = format!("{}:changed", scratch.join("layout").display());
    umoci(&["repack", "--image", &changed, "bundle"]).run();

    copy()
        .arg(format!("oci:{changed}"))
        .arg(format!("docker://{}", server.image("library/umoci:changed")))
        .run();
    let back = scratch.join("back");
    copy()
        .arg(format!("docker://{}", server.image("library/umoci:changed")))
        .arg(format!("oci:{}:changed", back.display()))
        .run();
    umoci(&["unpack", "--image", &format!("{}:changed", back.display()), "again"]).run();
    assert_eq!(std::fs::read(scratch.join("again/rootfs/added")).expect("unpacked"), b"by umoci");
    assert_eq!(Layout::open(&back).roots().len(), 1);
    repository.assert_image("base", &image);
}
