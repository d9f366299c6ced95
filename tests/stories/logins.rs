//! Every client logs in as a person by name and by address, with a CLI secret, as a robot of a project, as one that was given pushing
//! alone, and as one of the installation; it pulls, it pushes, and it says why it may not.

use std::path::PathBuf;

use berth_testkit::{
    Containerd, Dockerd, Finished, Image, Program, Scratch, random_bytes, system, tar_of, tool,
};
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, at_home, said};

/// What does for Alice's password where a program shows it.
const CLI_SECRET: &str = "Alice-Cli-Secret-1";
/// What the registry says to whoever pushes without the right to, around the repository's name; every client prints it.
const DENIED: [&str; 2] = ["push on repository team/", " is not permitted"];
/// What it says to whoever shows a wrong secret, where the client prints that.
const WRONG: &str = "unauthorized: the username or the password is wrong";

/// Where somebody works with one client: who it is, and a folder for everything that the client keeps.
struct Desk<'a> {
    house: &'a House,
    login: String,
    secret: String,
    /// Where its pushes go; nobody else pushes there, because clients pass over what is there.
    place: String,
    folder: Scratch,
    docker: Option<&'a Dockerd>,
    containerd: Option<&'a Containerd>,
}

/// One client.
struct Client {
    /// How it logs in; `None` if it shows who it is with each command.
    login: Option<fn(&Desk<'_>) -> Program>,
    /// Brings something out of the project.
    pull: fn(&Desk<'_>) -> Program,
    /// Brings something into it, after a pull.
    push: fn(&Desk<'_>) -> Program,
    /// What it prints for credentials that are wrong: all of these.
    wrong: &'static [&'static str],
}

impl Desk<'_> {
    fn program(&self, path: impl Into<PathBuf>) -> Program {
        self.furnish(Program::new(path.into()))
    }

    fn as_root(&self, name: &str) -> Program {
        let program = self.furnish(Program::as_root(system(name))).arg("--storage-driver=vfs");
        program.arg("--root").arg(self.folder.join("root")).arg("--runroot").arg(self.folder.join("run"))
    }

    fn furnish(&self, program: Program) -> Program {
        at_home(program, &self.folder)
    }

    fn docker(&self) -> Program {
        self.docker.expect("a daemon").docker().env("DOCKER_CONFIG", self.folder.path())
    }

    fn ctr(&self, verb: &str) -> Program {
        let daemon = self.containerd.expect("a daemon");
        let user = format!("{}:{}", self.login, self.secret);
        let program = daemon.ctr().args(["images", verb, "--local", "--user", &user]);
        program.arg(format!("--hosts-dir={}", daemon.hosts().display()))
    }

    /// A log-in with the secret on standard input.
    fn secretly(&self, program: Program) -> Program {
        program.args(["-u", &self.login, "--password-stdin", &self.address()]).input(self.secret.as_str())
    }

    fn address(&self) -> String {
        self.house.server.address()
    }

    /// The image that is there.
    fn base(&self) -> String {
        self.house.image("team/base:1")
    }

    /// Where a push goes.
    fn mine(&self) -> String {
        self.house.image(&format!("team/{}:1", self.place))
    }
}

fn at(reference: &str) -> String {
    format!("docker://{reference}")
}

/// Sees a client through everything that it may and may not do.
fn sees_it_through(client: &Client) {
    sees_it_through_with(client, None, None);
}

fn sees_it_through_with(client: &Client, docker: Option<&Dockerd>, containerd: Option<&Containerd>) {
    let house = House::open();
    furnish(&house);
    house.rest("PUT", "users/3/cli_secret", &json!({ "secret": CLI_SECRET })).expect(200);
    let robot = |level, name, actions: &[&str]| {
        let (_, login, secret) = house.robot_of(level, name, actions);
        (login, secret)
    };
    let project = robot("project", "ci", &["pull", "push"]);
    let installation = robot("system", "ci", &["pull", "push"]);
    assert_eq!((project.0.as_str(), installation.0.as_str()), ("robot$team+ci", "robot$ci"));
    let pusher = robot("project", "pusher", &["push"]);
    let reader = robot("project", "reader", &["pull"]);
    let desk = |place: &str, (login, secret): (String, String)| Desk {
        house: &house,
        login,
        secret,
        place: place.to_owned(),
        folder: Scratch::new(),
        docker,
        containerd,
    };
    let person = |secret: &str| ("alice".to_owned(), secret.to_owned());
    for (place, who) in [
        ("by-password", person(PASSWORD)),
        ("by-address", ("alice@example.org".to_owned(), PASSWORD.to_owned())),
        ("by-cli-secret", person(CLI_SECRET)),
        ("by-project-robot", project),
        ("by-pushing-robot", pusher),
        ("by-system-robot", installation),
    ] {
        let desk = desk(place, who);
        client.enter(&desk);
        (client.pull)(&desk).run();
        (client.push)(&desk).run();
    }
    let desk = desk("by-reader", reader);
    client.enter(&desk);
    (client.pull)(&desk).run();
    let denied = (client.push)(&desk).fail();
    assert!(DENIED.iter().all(|words| said(&denied, &[words])), "a missing right: {denied}");
    let wrong = client.mistaken(&Desk { secret: "Wr0ng-secret".to_owned(), ..desk });
    assert!(client.wrong.iter().all(|words| said(&wrong, &[words])), "a wrong secret: {wrong}");
}

impl Client {
    fn enter(&self, desk: &Desk<'_>) {
        if let Some(login) = self.login {
            login(desk).run();
        }
    }

    /// What comes of a wrong secret: where logging in asks nobody, the pull after it does.
    fn mistaken(&self, desk: &Desk<'_>) -> Finished {
        match self.login.map(|login| login(desk).finish()) {
            Some(refused) if !refused.status.success() => refused,
            _ => (self.pull)(desk).fail(),
        }
    }
}

/// An image, a chart and a signature in the project.
fn furnish(house: &House) {
    let layer = tar_of(&[("payload", &random_bytes(1, 50_000))]);
    house.server.repository("team/base").push_image("1", &Image::of("amd64", &[layer])).expect("pushed");
    assert_eq!(house.rest("GET", "users/3", &Value::Null).expect(200).json()["username"], "alice");
}

#[test]
fn docker() {
    let daemon = Dockerd::start();
    let client = Client {
        login: Some(|desk| desk.secretly(desk.docker().arg("login"))),
        pull: |desk| desk.docker().args(["pull", "--quiet", &desk.base()]),
        push: |desk| {
            desk.docker().args(["tag", &desk.base(), &desk.mine()]).run();
            desk.docker().args(["push", &desk.mine()])
        },
        wrong: &[WRONG],
    };
    sees_it_through_with(&client, Some(&daemon), None);
}

#[test]
fn containerd() {
    // It is told of a registry before it starts, so the daemon comes with the first desk.
    let house = House::open();
    furnish(&house);
    let daemon = Containerd::start(&house.server.address());
    let desk = |(id, login, secret): (i64, String, String)| Desk {
        house: &house,
        login,
        secret,
        place: format!("by-{id}"),
        folder: Scratch::new(),
        docker: None,
        containerd: Some(&daemon),
    };
    let pull = |desk: &Desk<'_>| desk.ctr("pull").args(["--snapshotter=native", &desk.base()]);
    let push = |desk: &Desk<'_>| desk.ctr("push").args([&desk.mine(), &desk.base()]);
    house.rest("PUT", "users/3/cli_secret", &json!({ "secret": CLI_SECRET })).expect(200);
    let person = |id, secret: &str| (id, "alice".to_owned(), secret.to_owned());
    let people = [person(-1, PASSWORD), person(-2, CLI_SECRET)];
    let robots = [house.robot("ci", &["pull", "push"]), house.robot_of("system", "ci", &["pull", "push"])];
    for who in robots.into_iter().chain(people) {
        let desk = desk(who);
        pull(&desk).run();
        push(&desk).run();
    }
    let reader = desk(house.robot("reader", &["pull"]));
    pull(&reader).run();
    let denied = push(&reader).fail();
    assert!(DENIED.iter().all(|words| said(&denied, &[words])), "{denied}");
    let wrong = pull(&Desk { secret: "Wr0ng-secret".to_owned(), ..reader }).fail();
    assert!(said(&wrong, &["failed to authorize"]) && said(&wrong, &["401 unauthorized"]), "{wrong}");

    // Nobody at all.
    house.server.repository("library/open").push_image("1", &Image::random(2, 50_000)).expect("pushed");
    let nobody = |image: &str| {
        let pull = daemon.ctr().args(["images", "pull", "--local", "--snapshotter=native"]);
        pull.arg(format!("--hosts-dir={}", daemon.hosts().display())).arg(house.image(image))
    };
    nobody("library/open:1").run();
    let closed = nobody("team/base:1").fail();
    assert!(said(&closed, &["401 unauthorized", "authorization failed"]), "{closed}");
}

#[test]
fn podman() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.as_root("podman").args(["login", "--tls-verify=false"]))),
        pull: |desk| desk.as_root("podman").args(["pull", "--quiet", "--tls-verify=false", &desk.base()]),
        push: |desk| {
            desk.as_root("podman").args(["push", "--tls-verify=false", &desk.base(), &at(&desk.mine())])
        },
        wrong: &["invalid username/password"],
    });
}

#[test]
fn buildah() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.as_root("buildah").args(["login", "--tls-verify=false"]))),
        pull: |desk| desk.as_root("buildah").args(["pull", "--quiet", "--tls-verify=false", &desk.base()]),
        push: |desk| {
            desk.as_root("buildah").args(["push", "--tls-verify=false", &desk.base(), &at(&desk.mine())])
        },
        wrong: &["invalid username/password"],
    });
}

#[test]
fn skopeo() {
    sees_it_through(&Client {
        login: Some(|desk| {
            desk.secretly(desk.program(system("skopeo")).args(["login", "--tls-verify=false"]))
        }),
        pull: |desk| {
            let copy = desk.program(system("skopeo")).args(["--insecure-policy", "copy"]);
            copy.args(["--src-tls-verify=false", &at(&desk.base()), "dir:out"])
        },
        push: |desk| {
            let copy = desk.program(system("skopeo")).args(["--insecure-policy", "copy"]);
            copy.args(["--dest-tls-verify=false", "dir:out", &at(&desk.mine())])
        },
        wrong: &["invalid username/password"],
    });
}

#[test]
fn oras() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.program(tool("oras")).args(["login", "--plain-http"]))),
        pull: |desk| desk.program(tool("oras")).args(["manifest", "fetch", "--plain-http", &desk.base()]),
        push: |desk| {
            desk.folder.write("note", "a note");
            desk.program(tool("oras")).args(["push", "--plain-http", &desk.mine(), "note"])
        },
        wrong: &[WRONG],
    });
}

#[test]
fn crane() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.program(tool("crane")).args(["auth", "login"]))),
        pull: |desk| desk.program(tool("crane")).args(["manifest", "--insecure", &desk.base()]),
        push: |desk| desk.program(tool("crane")).args(["copy", "--insecure", &desk.base(), &desk.mine()]),
        wrong: &[WRONG],
    });
}

#[test]
fn regctl() {
    sees_it_through(&Client {
        login: Some(|desk| {
            let set =
                desk.program(tool("regctl")).args(["registry", "set", "--tls=disabled", "--skip-check"]);
            set.arg(desk.address()).run();
            let login = desk.program(tool("regctl")).args(["registry", "login", "-u", &desk.login]);
            login.args(["--pass-stdin", &desk.address()]).input(desk.secret.as_str())
        }),
        pull: |desk| desk.program(tool("regctl")).args(["manifest", "get", &desk.base()]),
        push: |desk| desk.program(tool("regctl")).args(["image", "copy", &desk.base(), &desk.mine()]),
        wrong: &["unauthorized"],
    });
}

fn helm_login(desk: &Desk<'_>, version: &str) -> Program {
    desk.secretly(desk.program(tool(version)).args(["registry", "login", "--plain-http"]))
}

/// What is there to be pulled is a chart that was pushed by the administrator first.
fn helm_pull(desk: &Desk<'_>, version: &str) -> Program {
    desk.folder.write("berry/Chart.yaml", "apiVersion: v2\nname: berry\nversion: 1.2.3\n");
    desk.program(tool(version)).args(["package", "berry"]).run();
    let charts = format!("oci://{}", desk.house.image("team/charts"));
    let push = Program::new(tool(version)).args(["push", "berry-1.2.3.tgz", &charts, "--plain-http"]);
    push.env("HOME", desk.folder.path()).folder(desk.folder.path()).run();
    let chart = format!("{charts}/berry");
    let pull = desk.program(tool(version)).args(["pull", &chart, "--version", "1.2.3", "--plain-http"]);
    pull.arg("--destination").arg(desk.folder.folder("back"))
}

fn helm_push(desk: &Desk<'_>, version: &str) -> Program {
    let charts = format!("oci://{}", desk.house.image(&format!("team/{}", desk.place)));
    desk.program(tool(version)).args(["push", "berry-1.2.3.tgz", &charts, "--plain-http"])
}

#[test]
fn helm_3() {
    sees_it_through(&Client {
        login: Some(|desk| helm_login(desk, "helm3")),
        pull: |desk| helm_pull(desk, "helm3"),
        push: |desk| helm_push(desk, "helm3"),
        wrong: &["401", WRONG],
    });
}

#[test]
fn helm_4() {
    sees_it_through(&Client {
        login: Some(|desk| helm_login(desk, "helm4")),
        pull: |desk| helm_pull(desk, "helm4"),
        push: |desk| helm_push(desk, "helm4"),
        wrong: &["401", WRONG],
    });
}

fn cosign_pull(desk: &Desk<'_>, version: &str) -> Program {
    if !desk.folder.join("cosign.key").exists() {
        desk.program(tool(version)).arg("generate-key-pair").run();
    }
    desk.program(tool(version)).args(["tree", "--allow-http-registry", &desk.base()])
}

fn cosign_push(desk: &Desk<'_>, version: &str) -> Program {
    let sign = desk.program(tool(version)).args(["sign", "--key=cosign.key", "--tlog-upload=false"]);
    let sign = sign.args(["--allow-http-registry", "--yes"]);
    let sign = if version == "cosign3" { sign.args(["--use-signing-config=false"]) } else { sign };
    let base = desk.house.server.repository("team/base").manifest("1").expect("an answer").expect(200);
    let digest = base.header("Docker-Content-Digest").expect("a digest").to_owned();
    sign.arg(desk.house.image(&format!("team/base@{digest}")))
}

#[test]
fn cosign_2() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.program(tool("cosign2")).arg("login"))),
        pull: |desk| cosign_pull(desk, "cosign2"),
        push: |desk| cosign_push(desk, "cosign2"),
        wrong: &[WRONG],
    });
}

#[test]
fn cosign_3() {
    sees_it_through(&Client {
        login: Some(|desk| desk.secretly(desk.program(tool("cosign3")).arg("login"))),
        pull: |desk| cosign_pull(desk, "cosign3"),
        push: |desk| cosign_push(desk, "cosign3"),
        wrong: &[WRONG],
    });
}
