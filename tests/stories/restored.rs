//! An installation is moved with its backup, and everybody goes on with the secrets that they have.

use berth_testkit::credentials::config_folder;
use berth_testkit::{BerthServer, Image, Program, Scratch, system, tool};

use crate::house::{House, PASSWORD, said};

#[test]
fn who_could_log_in_before_a_restore_can_after_it() {
    // It makes its own key, which the backup takes along.
    let setup = BerthServer::setup().set("access.secret_key", "").set("projects.create_on_push", "false");
    let (house, scratch) = (House::over(setup.start()), Scratch::new());
    let image = Image::random(1, 100_000);
    house.server.repository("team/app").push_image("1", &image).expect("pushed");
    let (_, robot, secret) = house.robot("kept", &["pull"]);
    house.server.berth("backup").arg(scratch.join("backup")).run();
    let key = |folder: &str| std::fs::read(scratch.join(folder).join("secret_key")).expect("a key");
    drop(house);

    let restore = BerthServer::program("restore").arg("--data").arg(scratch.join("elsewhere"));
    restore.arg(scratch.join("backup")).run();
    assert_eq!(key("elsewhere"), key("backup"));
    let elsewhere = BerthServer::setup().data(scratch.join("elsewhere")).set("access.secret_key", "").start();
    for (login, secret) in [("alice", PASSWORD), (robot.as_str(), secret.as_str())] {
        let skopeo = |secret: &str| {
            let login = Program::new(system("skopeo")).args(["login", "--tls-verify=false", "-u", login]);
            let login = login.args(["--password-stdin", &elsewhere.address()]).input(secret);
            login.env("REGISTRY_AUTH_FILE", scratch.join("written.json"))
        };
        skopeo(secret).run();
        let files = config_folder(&elsewhere.address(), login, secret);
        let pull =
            Program::new(tool("crane")).args(["manifest", "--insecure", &elsewhere.image("team/app:1")]);
        assert!(pull.env("DOCKER_CONFIG", files.path()).run().stdout == image.manifest());
        let wrong = skopeo("Wr0ng-secret").fail();
        assert!(said(&wrong, &["invalid username/password"]), "{wrong}");
    }
    elsewhere.assert_sound();
}
