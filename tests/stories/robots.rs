//! Robots whose time is over, who were switched off, or who were given pushing alone, as real clients meet that.

use std::time::Duration;

use berth_testkit::credentials::config_folder;
use berth_testkit::{BerthServer, Finished, Image, Layout, Program, Request, Scratch, system, tool, until};
use serde_json::{Value, json};

use crate::house::{House, PATIENCE, said};

const DAY: Duration = Duration::from_hours(24);

/// A robot of a project, and the clients that it works with.
struct Machine<'a> {
    house: &'a House,
    id: i64,
    name: String,
    secret: String,
    files: Scratch,
}

impl<'a> Machine<'a> {
    /// One that lives for so many days.
    fn for_days(house: &'a House, days: i64) -> Self {
        let access = json!([{ "resource": "repository", "action": "pull" }]);
        let permissions = json!([{ "kind": "project", "namespace": "team", "access": access }]);
        let body =
            json!({ "name": "nightly", "level": "project", "duration": days, "permissions": permissions });
        let made = house.make("robots", &body).json();
        let text = |field: &str| made[field].as_str().expect(field).to_owned();
        let (name, secret) = (text("name"), text("secret"));
        let files = config_folder(&house.server.address(), &name, &secret);
        Self { house, id: made["id"].as_i64().expect("a number"), name, secret, files }
    }

    fn row(&self) -> Value {
        self.house.rest("GET", &format!("robots/{}", self.id), &Value::Null).expect(200).json()
    }

    fn change(&self, field: &str, value: Value) {
        let mut row = self.row();
        row[field] = value;
        self.house.rest("PUT", &format!("robots/{}", self.id), &row).expect(200);
    }

    fn skopeo_logs_in(&self) -> Finished {
        let login = Program::new(system("skopeo")).args(["login", "--tls-verify=false", "-u", &self.name]);
        let login = login.args(["--password-stdin", &self.house.server.address()]);
        let file = self.files.join("written.json");
        login.env("REGISTRY_AUTH_FILE", file).input(self.secret.as_str()).finish()
    }

    fn crane_pulls(&self) -> Finished {
        let digest = Program::new(tool("crane")).args(["digest", "--insecure"]);
        digest.arg(self.house.image("team/app:1")).env("DOCKER_CONFIG", self.files.path()).finish()
    }

    fn token(&self) -> String {
        let path = "/service/token?service=harbor-registry&scope=repository:team/app:pull";
        let answer = self.house.server.ask(&Request::get(path).login(&self.name, &self.secret));
        format!("Bearer {}", answer.expect(200).json()["token"].as_str().expect("a token"))
    }

    fn pulls_with(&self, token: &str) -> u16 {
        let request = Request::get("/v2/team/app/manifests/1").header("Accept", "*/*");
        self.house.server.ask(&request.header("Authorization", token)).status
    }

    #[track_caller]
    fn assert_out(&self) {
        let login = self.skopeo_logs_in();
        assert!(!login.status.success() && said(&login, &["invalid username/password"]), "{login}");
        let pull = self.crane_pulls();
        assert!(!pull.status.success() && said(&pull, &["unauthorized"]), "{pull}");
    }

    #[track_caller]
    fn assert_in(&self) {
        for finished in [self.skopeo_logs_in(), self.crane_pulls()] {
            assert!(finished.status.success(), "{finished}");
        }
    }
}

fn house() -> House {
    let setup = BerthServer::setup().set("projects.create_on_push", "false").with_movable_clock();
    let house = House::over(setup.start());
    house.server.repository("team/app").push_image("1", &Image::random(1, 1000)).expect("pushed");
    house
}

#[test]
fn a_robot_is_out_when_its_days_are_over() {
    let house = house();
    let robot = Machine::for_days(&house, 20);
    robot.assert_in();
    let warning = || {
        let request = Request::get("/v2/").login(&robot.name, &robot.secret);
        house.server.ask(&request).expect(200).header("Warning").map(str::to_owned)
    };
    assert_eq!(warning(), None, "that is far away");
    house.server.set_clock_ahead(7 * DAY);
    assert!(warning().is_some_and(|warning| warning.starts_with("299 ")), "{:?}", warning());

    house.server.set_clock_ahead(19 * DAY + Duration::from_mins(23 * 60 + 55));
    robot.assert_in();
    // A token would live longer than the robot does.
    let token = robot.token();
    assert_eq!(robot.pulls_with(&token), 200);
    house.server.set_clock_ahead(20 * DAY);
    assert_eq!(robot.pulls_with(&token), 401);
    robot.assert_out();
    // Whoever may change the robot gives it more time, and nothing else has to be told to the machine.
    robot.change("duration", json!(30));
    robot.assert_in();
}

#[test]
fn a_robot_that_is_switched_off_is_out_until_it_is_switched_on() {
    let house = house();
    let robot = Machine::for_days(&house, -1);
    robot.assert_in();
    let token = robot.token();
    assert_eq!(robot.pulls_with(&token), 200);
    robot.change("disable", json!(true));
    until("its token is out", PATIENCE, || (robot.pulls_with(&token) == 401).then_some(()));
    robot.assert_out();
    robot.change("disable", json!(false));
    robot.assert_in();
    assert_eq!(robot.pulls_with(&token), 401, "what was issued before it was switched off");
    assert_eq!(robot.pulls_with(&robot.token()), 200);
}

#[test]
fn a_robot_that_nobody_uses_is_found() {
    let house = house();
    let (_, idle, _) = house.robot("idle", &["pull"]);
    let (_, busy, secret) = house.robot("busy", &["pull"]);
    let last_use = |robot: &str| {
        let listed = house.server.berth("admin robots").run().text();
        let line = listed.lines().find(|line| line.starts_with(&format!("{robot} "))).expect("a line");
        line.rsplit("  ").next().expect("a last column").to_owned()
    };
    assert_eq!([last_use(&idle), last_use(&busy)], ["never", "never"]);
    assert_eq!(house.pull_as(&busy, &secret), 200);
    until("its use is written down", PATIENCE, || (last_use(&busy) != "never").then_some(()));
    assert_eq!(last_use(&idle), "never");
}

/// Clients look before they push. In a project the one right brings the other, as in Harbor; an installation's robot is told both.
#[test]
fn a_projects_robot_that_was_given_pushing_alone_pushes() {
    let house = house();
    let image = Image::random(2, 200_000);
    let files = Scratch::new();
    let source = Layout::of_image(&files.folder("source"), "1", &image);
    let push = |login: &str, secret: &str| {
        let config = config_folder(&house.server.address(), login, secret);
        let push = Program::new(tool("crane")).args(["push", "--insecure"]).arg(source.path());
        push.arg(house.image("team/pushed:1")).env("DOCKER_CONFIG", config.path()).finish()
    };
    let (_, login, secret) = house.robot_of("system", "pusher", &["push"]);
    let refused = push(&login, &secret);
    assert!(!refused.status.success(), "{refused}");
    assert!(
        said(&refused, &["403 Forbidden"]),
        "its look at what is there has no body to say more: {refused}"
    );

    let (_, login, secret) = house.robot("pusher", &["push"]);
    for time in ["what is new", "what is there"] {
        let pushed = push(&login, &secret);
        assert!(pushed.status.success(), "{time}: {pushed}");
    }
    house.server.repository("team/pushed").assert_image("1", &image);
    assert_eq!(house.delete_as("team/pushed", "1", &login, &secret), 403);
    let (_, login, secret) = house.robot("cleaner", &["delete"]);
    assert_eq!(house.delete_as("team/pushed", "1", &login, &secret), 202);
}
