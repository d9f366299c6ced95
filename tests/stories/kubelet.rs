//! A kubelet: it hands the pod's pull secret to containerd's CRI plugin with each request, and shows people what that says when it
//! was in vain.

use berth_testkit::{Containerd, Image};
use serde_json::json;

use crate::house::{House, PASSWORD, said};

#[test]
fn a_node_pulls_with_the_secret_of_its_pod() {
    let house = House::open();
    let (open, closed) = (Image::random(1, 200_000), Image::random(2, 300_000));
    house.server.repository("library/open").push_image("1", &open).expect("pushed");
    house.server.repository("team/app").push_image("1", &closed).expect("pushed");
    let (_, robot, secret) = house.robot("node", &["pull"]);
    let robot = robot.as_str();
    let bob = json!({ "username": "bob", "email": "b@example.org", "realname": "B", "password": PASSWORD });
    house.make("users", &bob);
    let address = house.server.address();
    for node in [Containerd::start(&address), Containerd::start_with_local_pull(&address)] {
        let pull = |secret: Option<(&str, &str)>, image: &str| {
            let creds = secret.map(|(login, secret)| ["--creds".to_owned(), format!("{login}:{secret}")]);
            node.crictl().arg("pull").args(creds.into_iter().flatten()).arg(house.image(image))
        };
        pull(None, "library/open:1").run();
        assert_pulled(&node, &open);

        let nobody = pull(None, "team/app:1").fail();
        assert!(said(&nobody, &["401 Unauthorized"]), "{nobody}");
        let wrong = pull(Some((robot, "Wr0ng-secret")), "team/app:1").fail();
        assert!(said(&wrong, &["401 Unauthorized"]), "{wrong}");
        let stranger = pull(Some(("bob", PASSWORD)), "team/app:1").fail();
        assert!(said(&stranger, &["403 Forbidden"]), "{stranger}");
        let missing = pull(Some((robot, &secret)), "team/missing:1").fail();
        assert!(said(&missing, &["not found"]), "{missing}");

        pull(Some((robot, &secret)), "team/app:1").run();
        assert_pulled(&node, &closed);
        pull(Some(("alice", PASSWORD)), &format!("team/app@{}", closed.digest())).run();
    }
}

/// Panics unless the node lists this image, by the digest of its config, which is what a kubelet calls it.
#[track_caller]
fn assert_pulled(node: &Containerd, image: &Image) {
    let config = berth_oci::Digest::sha256(&image.blobs()[0]).to_string();
    let listed = node.crictl().args(["images", "--quiet", "--no-trunc"]).run();
    assert!(listed.text().lines().any(|line| line == config), "{config} in {listed}");
}
