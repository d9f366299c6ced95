//! docker: Debian's daemon pushes and pulls, and makes a manifest list.

use berth_oci::Digest;
use berth_testkit::{BerthServer, Dockerd, Scratch, file_in_tar, random_bytes, tar_of};

#[test]
fn an_image_is_pushed_and_pulled_by_another_daemon() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let payload = random_bytes(1, 3_000_000);
    let archive = tar_of(&[("payload", &payload)]);
    let file = scratch.write("root.tar", &archive);
    let image = server.image("library/hello:1");

    let digest = {
        let daemon = Dockerd::start();
        daemon.docker().arg("import").arg(&file).arg(&image).run();
        let pushed = daemon.docker().args(["push", &image]).run().text();
        let again = daemon.docker().args(["push", &image]).run().text();
        assert!(again.contains("Layer already exists"), "{again}");
        pushed.split_whitespace().find(|word| word.starts_with("sha256:")).expect("a digest").to_owned()
    };

    let daemon = Dockerd::start();
    daemon.docker().args(["pull", "--quiet", &image]).run();
    let inspected = daemon.docker().args(["image", "inspect", &image]).run().json();
    assert_eq!(inspected[0]["RootFS"]["Layers"][0], Digest::sha256(&archive).to_string());
    let by_digest = format!("{}@{digest}", server.image("library/hello"));
    assert_eq!(inspected[0]["RepoDigests"][0], by_digest);
    daemon.docker().args(["pull", "--quiet", &by_digest]).run();
    let container = daemon.docker().args(["create", &image, "none"]).run().text();
    let exported = daemon.docker().args(["export", &container]).run();
    assert!(file_in_tar(&exported.stdout, "payload") == Some(payload));
}

#[test]
fn images_of_two_platforms_become_a_manifest_list() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let daemon = Dockerd::start();
    let list = server.image("library/hello:both");
    let mut parts = Vec::new();
    let payloads = [random_bytes(2, 10_000), random_bytes(3, 10_000)];
    for (architecture, payload) in ["amd64", "arm64"].into_iter().zip(&payloads) {
        let file = scratch.write("root.tar", tar_of(&[("payload", payload)]));
        let image = server.image(&format!("library/hello:{architecture}"));
        let platform = format!("linux/{architecture}");
        daemon.docker().args(["import", "--platform", &platform]).arg(&file).arg(&image).run();
        daemon.docker().args(["push", "--quiet", &image]).run();
        parts.push(image);
    }
    daemon.docker().args(["manifest", "create", "--insecure", &list]).args(&parts).run();
    // This daemon's import says amd64, whatever it is told.
    daemon.docker().args(["manifest", "annotate", "--os=linux", "--arch=arm64", &list, &parts[1]]).run();
    daemon.docker().args(["manifest", "push", "--insecure", &list]).run();
    let found = server.repository("library/hello").manifest("both").expect("an answer").expect(200);
    assert_eq!(found.header("content-type"), Some(berth_oci::media_type::DOCKER_LIST));
    let platforms: Vec<_> = found.json()["manifests"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["platform"]["architecture"].clone())
        .collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    daemon.docker().args(["rmi", "--force"]).args(&parts).run();
    for (platform, payload) in ["linux/amd64", "linux/arm64"].into_iter().zip(payloads) {
        daemon.docker().args(["pull", "--quiet", "--platform", platform, &list]).run();
        let container = daemon.docker().args(["create", &list, "none"]).run().text();
        let exported = daemon.docker().args(["export", &container]).run();
        assert!(file_in_tar(&exported.stdout, "payload") == Some(payload), "{platform}");
    }
}
