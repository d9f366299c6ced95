//! buildah: an image is built from nothing, pushed, and pulled as a base.

use berth_testkit::{BerthServer, Program, Scratch, random_bytes, system};

#[test]
fn an_image_is_built_pushed_and_built_upon() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let buildah = |arguments: &[&str]| {
        let program = Program::as_root(system("buildah")).args(["--storage-driver=vfs"]);
        let program =
            program.arg("--root").arg(scratch.join("root")).arg("--runroot").arg(scratch.join("run"));
        program
            .args(arguments)
            .env("HOME", scratch.path())
            .env("BUILDAH_ISOLATION", "chroot")
            .folder(scratch.path())
    };
    let payload = random_bytes(1, 500_000);
    scratch.write("payload", &payload);
    let image = server.image("library/buildah:1");

    let container = buildah(&["from", "scratch"]).run().text();
    buildah(&["copy", &container, "payload", "/data/payload"]).run();
    buildah(&["config", "--label", "story=buildah", &container]).run();
    buildah(&["commit", "--quiet", &container, &image]).run();
    buildah(&["push", "--tls-verify=false", &image]).run();
    buildah(&["rm", &container]).run();
    buildah(&["rmi", &image]).run();

    let container = buildah(&["from", "--tls-verify=false", &image]).run().text();
    let label =
        buildah(&["inspect", "--format", "{{index .OCIv1.Config.Labels \"story\"}}", &container]).run();
    assert_eq!(label.text(), "buildah");
    let mounted = buildah(&["mount", &container]).run().text();
    assert!(Program::as_root("cat").arg(format!("{mounted}/data/payload")).run().stdout == payload);
    buildah(&["umount", &container]).run();
}
