//! podman: an image is loaded, pushed, removed and pulled.

use berth_testkit::{BerthServer, Program, Scratch, random_bytes, system, tar_of};

fn podman(scratch: &Scratch, arguments: &[&str]) -> Program {
    let program = Program::as_root(system("podman")).args([
        "--storage-driver=vfs",
        "--events-backend=file",
        "--cgroup-manager=cgroupfs",
    ]);
    let program = program.arg("--root").arg(scratch.join("root")).arg("--runroot").arg(scratch.join("run"));
    program.args(arguments).env("HOME", scratch.path())
}

#[test]
fn an_image_is_pushed_and_pulled() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let payload = random_bytes(1, 2_000_000);
    let archive = scratch.write("root.tar", tar_of(&[("payload", &payload)]));
    let image = server.image("library/podman:1");

    podman(&scratch, &["import", "--quiet"]).arg(&archive).arg(&image).run();
    podman(&scratch, &["push", "--tls-verify=false", &image]).run();
    podman(&scratch, &["rmi", &image]).run();
    podman(&scratch, &["pull", "--tls-verify=false", "--quiet", &image]).run();
    let container = podman(&scratch, &["create", &image, "none"]).run().text();
    let exported = podman(&scratch, &["export", &container]).run();
    assert!(berth_testkit::file_in_tar(&exported.stdout, "payload") == Some(payload));
}

#[test]
fn a_manifest_list_is_pushed_whole() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let list = server.image("library/podman:list");
    podman(&scratch, &["manifest", "create", "story"]).run();
    let payloads = [random_bytes(2, 10_000), random_bytes(3, 10_000)];
    for (architecture, payload) in ["amd64", "arm64"].into_iter().zip(&payloads) {
        let archive = scratch.write("root.tar", tar_of(&[("payload", payload)]));
        let image = format!("localhost/part-{architecture}");
        podman(&scratch, &["import", "--quiet", "--arch", architecture]).arg(&archive).arg(&image).run();
        podman(&scratch, &["manifest", "add", "story", &format!("containers-storage:{image}")]).run();
    }
    podman(
        &scratch,
        &["manifest", "push", "--all", "--tls-verify=false", "story", &format!("docker://{list}")],
    )
    .run();
    let found = server.repository("library/podman").manifest("list").expect("an answer").expect(200).json();
    assert_eq!(found["manifests"].as_array().map(Vec::len), Some(2), "{found}");

    podman(&scratch, &["rmi", "--all", "--force"]).run();
    for (architecture, payload) in ["amd64", "arm64"].into_iter().zip(payloads) {
        let pull =
            podman(&scratch, &["pull", "--tls-verify=false", "--quiet", "--arch", architecture, &list]);
        let image = pull.run().text();
        let container = podman(&scratch, &["create", "--arch", architecture, &image, "none"]).run().text();
        let exported = podman(&scratch, &["export", &container]).run();
        assert!(berth_testkit::file_in_tar(&exported.stdout, "payload") == Some(payload), "{architecture}");
    }
}
