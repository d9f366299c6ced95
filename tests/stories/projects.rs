//! Projects: made by a push where pushes may, and emptied until they can be deleted.

use berth_oci::Digest;
use berth_testkit::credentials::config_folder;
use berth_testkit::{BerthServer, Image, Layout, Program, Request, Response, Scratch, random_bytes, tool};
use serde_json::json;

use crate::house::{House, PASSWORD, said};

/// Alice, who has no role where these stories happen unless she makes one.
struct Alice {
    house: House,
    folder: Scratch,
}

impl Alice {
    fn at(server: BerthServer) -> Self {
        let house = House::over(server);
        let folder = config_folder(&house.server.address(), "alice", PASSWORD);
        Self { house, folder }
    }

    fn crane(&self, command: &str) -> Program {
        let crane = Program::new(tool("crane")).args([command, "--insecure"]);
        crane.env("DOCKER_CONFIG", self.folder.path())
    }

    fn rest(&self, method: &str, path: &str) -> Response {
        let request = Request::new(method, format!("/api/v2.0/{path}")).login("alice", PASSWORD);
        self.house.server.ask(&request)
    }
}

#[test]
fn who_pushes_into_nothing_has_made_a_project() {
    let alice = Alice::at(BerthServer::start());
    let (files, image) = (Scratch::new(), Image::random(1, 300_000));
    let source = Layout::of_image(&files.folder("source"), "1", &image);
    let name = alice.house.image("fresh/deep/app:1");
    alice.crane("push").arg(source.path()).arg(&name).run();
    assert_eq!(alice.crane("manifest").arg(&name).run().stdout, image.manifest());
    let back = files.join("back");
    alice.crane("pull").args(["--format=oci"]).arg(&name).arg(&back).run();
    Layout::open(&back).assert_image(&image);

    let project = alice.rest("GET", "projects/fresh").expect(200).json();
    assert_eq!(project["owner_name"], "alice");
    assert_eq!(
        (&project["current_user_role_id"], &project["metadata"]["public"]),
        (&json!(1), &json!("false"))
    );
    let bob = json!({ "username": "bob", "email": "b@example.org", "realname": "B", "password": PASSWORD });
    alice.house.make("users", &bob);
    let folder = config_folder(&alice.house.server.address(), "bob", PASSWORD);
    let refused = alice.crane("digest").arg(&name).env("DOCKER_CONFIG", folder.path()).fail();
    assert!(said(&refused, &["denied", "not permitted", "403"]), "{refused}");
    alice.crane("delete").arg(alice.house.image(&format!("fresh/deep/app@{}", image.digest()))).run();
    alice.crane("manifest").arg(&name).fail();
}

#[test]
fn an_emptied_project_can_be_deleted_and_nothing_is_left_of_it() {
    let alice = Alice::at(BerthServer::start());
    let server = &alice.house.server;
    let (files, image) = (Scratch::new(), Image::random(2, 50_000));
    let source = Layout::of_image(&files.folder("source"), "1", &image);
    let push = || alice.crane("push").arg(source.path()).arg(server.image("emptied/app:1"));
    let agreed = |repositories: u64| {
        let project = alice.rest("GET", "projects/emptied").expect(200).json();
        let summary = alice.rest("GET", "projects/emptied/summary").expect(200).json();
        let deletable = alice.rest("GET", "projects/emptied/_deletable").expect(200).json();
        assert_eq!(
            (&project["repo_count"], &summary["repo_count"]),
            (&json!(repositories), &json!(repositories))
        );
        assert_eq!(deletable["deletable"], repositories == 0, "{deletable}");
    };
    push().run();
    agreed(1);
    alice.rest("DELETE", "projects/emptied").expect(412);
    agreed(1);
    alice.crane("delete").arg(server.image(&format!("emptied/app@{}", image.digest()))).run();
    agreed(0);

    // An upload that is under way ends with words, whoever goes on with it; a blob that no manifest names goes along.
    let repository = server.repository("emptied/app");
    let content = random_bytes(3, 200_000);
    let digest = Digest::sha256(&content);
    let mut upload = repository.open_upload().expect("a session");
    upload.append(0, &content[..100_000]).expect("an answer").expect(202);
    alice.rest("DELETE", "projects/emptied").expect(200);
    alice.rest("GET", "projects/emptied").expect(404);
    let refused = upload.close(&digest, &content[100_000..]).expect("an answer").expect(404);
    assert!(refused.text().contains("project emptied does not exist"), "{}", refused.text());
    let listed = Request::get(repository.path("tags/list"));
    assert_eq!(server.ask(&listed).expect(404).json()["errors"][0]["code"], "NAME_UNKNOWN");

    // The name is free, also for a push, which finds nothing of what was there.
    push().run();
    agreed(1);
    assert_eq!(repository.tags().expect("a list"), ["1"]);
    server.assert_sound();
}
