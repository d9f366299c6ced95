//! Who is let in: people, robots and nobody at all, as real clients show themselves, and what those clients print when the answer
//! is no.

use berth_testkit::credentials::{ADMIN, ADMIN_PASSWORD, config_folder};
use berth_testkit::{
    BerthServer, Dockerd, Image, Program, Request, Scratch, random_bytes, system, tar_of, tool, until,
};
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, PATIENCE, said};

#[test]
fn docker_logs_in_pushes_and_is_told_why_not() {
    let (house, scratch) = (House::open(), Scratch::new());
    let (_, robot, secret) = house.robot("ci", &["pull"]);
    let file = scratch.write("root.tar", tar_of(&[("payload", &random_bytes(1, 100_000))]));
    let daemon = Dockerd::start();
    let config = scratch.folder("docker");
    let docker = |arguments: &[&str]| daemon.docker().env("DOCKER_CONFIG", &config).args(arguments);
    let address = house.server.address();
    let image = house.image("team/app:1");
    docker(&["import"]).arg(&file).arg(&image).run();

    let nobody = docker(&["push", &image]).fail();
    assert!(said(&nobody, &["unauthorized", "denied", "authentication required"]), "{nobody}");
    let wrong = docker(&["login", "-u", "alice", "--password-stdin", &address]).input("Wr0ng one").fail();
    assert!(said(&wrong, &["username or the password is wrong"]), "{wrong}");
    docker(&["login", "-u", "alice", "--password-stdin", &address]).input(PASSWORD).run();
    docker(&["push", &image]).run();

    let elsewhere = house.image("missing/app:1");
    docker(&["tag", &image, &elsewhere]).run();
    let refused = docker(&["push", &elsewhere]).fail();
    assert!(said(&refused, &["denied"]), "{refused}");
    docker(&["logout", &address]).run();

    docker(&["login", "-u", ADMIN, "--password-stdin", &address]).input(ADMIN_PASSWORD).run();
    let missing = docker(&["push", &elsewhere]).fail();
    assert!(said(&missing, &["project missing does not exist"]), "{missing}");
    let open = house.image("library/open:1");
    docker(&["tag", &image, &open]).run();
    docker(&["push", &open]).run();
    docker(&["logout", &address]).run();
    docker(&["rmi", &open]).run();
    docker(&["pull", "--quiet", &open]).run();

    docker(&["login", "-u", &robot, "--password-stdin", &address]).input(secret).run();
    docker(&["rmi", &image]).run();
    docker(&["pull", "--quiet", &image]).run();
    let push = docker(&["push", &image]).fail();
    assert!(said(&push, &["denied"]), "{push}");
}

#[test]
fn every_client_works_as_a_robot() {
    let (house, scratch) = (House::open(), Scratch::new());
    let (_, robot, secret) = house.robot("deploy", &["pull", "push"]);
    assert_eq!(robot, "robot$team+deploy");
    let folder = config_folder(&house.server.address(), &robot, &secret);
    let file = folder.join("config.json");
    let as_robot = |program: Program| {
        let program = program.env("DOCKER_CONFIG", folder.path()).env("REGISTRY_AUTH_FILE", &file);
        program.env("HELM_REGISTRY_CONFIG", &file).env("HOME", scratch.path()).folder(scratch.path())
    };
    house.server.repository("team/base").push_image("1", &Image::random(3, 50_000)).expect("pushed");
    let base = house.image("team/base:1");

    let crane = Program::new(tool("crane")).args(["copy", "--insecure", &base, &house.image("team/crane:1")]);
    as_robot(crane).run();
    let skopeo = Program::new(system("skopeo")).args(["--insecure-policy", "copy"]);
    let skopeo = skopeo.args(["--src-tls-verify=false", "--dest-tls-verify=false"]);
    let (from, to) = (format!("docker://{base}"), format!("docker://{}", house.image("team/skopeo:1")));
    as_robot(skopeo.args([&from, &to])).run();
    scratch.write("note", "a note");
    let oras = Program::new(tool("oras")).args(["push", "--plain-http", &house.image("team/oras:1"), "note"]);
    as_robot(oras).run();
    for helm in ["helm3", "helm4"] {
        scratch.write("berry/Chart.yaml", "apiVersion: v2\nname: berry\nversion: 1.2.3\n");
        as_robot(Program::new(tool(helm)).args(["package", "berry"])).run();
        let charts = format!("oci://{}", house.image(&format!("team/{helm}")));
        let push = Program::new(tool(helm)).args(["push", "berry-1.2.3.tgz", &charts, "--plain-http"]);
        as_robot(push).run();
        let elsewhere = format!("oci://{}", house.image("library/charts"));
        let refused = Program::new(tool(helm)).args(["push", "berry-1.2.3.tgz", &elsewhere, "--plain-http"]);
        let refused = as_robot(refused).fail();
        assert!(said(&refused, &["denied", "not permitted", "403"]), "{refused}");
    }
    let mut tags = Vec::new();
    for name in ["crane", "skopeo", "oras"] {
        let listed = house.server.ask(&Request::get(format!("/v2/team/{name}/tags/list"))).expect(200).json();
        tags.push(listed["tags"][0].clone());
    }
    assert_eq!(tags, ["1", "1", "1"]);
}

#[test]
fn a_disabled_refreshed_or_deleted_robot_is_out() {
    let house = House::open();
    house.server.repository("team/app").push_image("1", &Image::random(4, 1000)).expect("pushed");
    let (id, robot, secret) = house.robot("short", &["pull"]);
    assert_eq!(house.pull_as(&robot, &secret), 200);
    let fresh = house.rest("PATCH", &format!("robots/{id}"), &json!({ "secret": "" })).expect(200).json();
    let fresh = fresh["secret"].as_str().expect("a secret").to_owned();
    until("the old secret is out", PATIENCE, || (house.pull_as(&robot, &secret) == 401).then_some(()));
    assert_eq!(house.pull_as(&robot, &fresh), 200);
    let mut row = house.rest("GET", &format!("robots/{id}"), &Value::Null).expect(200).json();
    row["disable"] = true.into();
    house.rest("PUT", &format!("robots/{id}"), &row).expect(200);
    until("the disabled robot is out", PATIENCE, || (house.pull_as(&robot, &fresh) == 401).then_some(()));
}

#[test]
fn a_lost_password_is_replaced_beside_the_running_server() {
    let house = House::open();
    let current = |password: &str| {
        let request = Request::get("/api/v2.0/users/current").login(ADMIN, password);
        house.server.ask(&request).status
    };
    assert_eq!(current(ADMIN_PASSWORD), 200);
    let printed = house.server.berth("admin reset-password").run().text();
    let fresh = printed.rsplit(' ').next().expect("a password").to_owned();
    until("the new password counts", PATIENCE, || (current(&fresh) == 200).then_some(()));
    until("the old one is out", PATIENCE, || (matches!(current(ADMIN_PASSWORD), 401 | 429)).then_some(()));
}

#[test]
fn an_installation_gets_another_key_and_everybody_still_logs_in() {
    let setup = BerthServer::setup().set("projects.create_on_push", "false").set("access.secret_key", "");
    let mut house = House::over(setup.start());
    house.server.repository("team/app").push_image("1", &Image::random(7, 1000)).expect("pushed");
    let (_, robot, secret) = house.robot("kept", &["pull"]);
    let key = || std::fs::read_to_string(house.server.data().join("secret_key")).expect("a key");
    let before = key();
    let rotated = house.server.berth("secrets rotate").run();
    assert!(rotated.text().contains("takes it into use"), "{rotated}");
    assert_ne!(key(), before);
    assert!(!house.server.data().join("secret_key.earlier").exists());
    house.server.stop();
    house.server.start_again();
    assert_eq!(house.pull_as(&robot, &secret), 200);
    assert_eq!(house.pull_as("alice", PASSWORD), 200);
    let again = house.server.berth("secrets rotate").run();
    assert!(
        again.text().contains("sealed again: 2"),
        "a signing key and the key of robots' secrets: {again}"
    );
}

#[test]
fn log_ins_survive_kills_and_rotations() {
    let mut house = House::open();
    house.server.repository("team/app").push_image("1", &Image::random(5, 1000)).expect("pushed");
    let (_, robot, secret) = house.robot("steady", &["pull"]);
    for _ in 0..3 {
        assert_eq!(house.pull_as(&robot, &secret), 200);
        assert_eq!(house.pull_as("alice", PASSWORD), 200);
        house.server.kill();
        house.server.start_again();
    }
    let token_key = house.server.berth("secrets rotate-token-key").run();
    assert!(token_key.text().contains("a new key is published"), "{token_key}");
    assert_eq!(house.pull_as(&robot, &secret), 200);
}
