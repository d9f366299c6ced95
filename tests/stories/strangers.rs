//! Whoever shows nothing: each client brings what is public, every byte of it, and says why it gets nothing of the rest. Docker,
//! containerd and the kubelet, which need a daemon, do so in stories of their own.

use std::fs;

use berth_testkit::{Image, Layout, Program, Scratch, file_in_tar, system, tool};

use crate::house::{House, at_home, said};

/// What every client prints in some form of who shows nothing and asks for what is not public.
const CLOSED: &[&str] = &["unauthorized"];

/// Where somebody works who has no secret: in the folder is nothing that a client could show.
struct Stranger<'a> {
    house: &'a House,
    folder: Scratch,
}

/// One client.
struct Client {
    /// Brings what is in a project.
    pull: fn(&Stranger<'_>, project: &str) -> Program,
    /// Panics unless what came is the image, or what takes its place there.
    compare: fn(&Stranger<'_>, &Image),
    /// What it prints where nothing is public: all of these.
    closed: &'static [&'static str],
}

impl Stranger<'_> {
    fn program(&self, program: Program) -> Program {
        at_home(program, &self.folder)
    }

    fn as_root(&self, name: &str) -> Program {
        let program = self.program(Program::as_root(system(name))).arg("--storage-driver=vfs");
        program.arg("--root").arg(self.folder.join("root")).arg("--runroot").arg(self.folder.join("run"))
    }

    fn image(&self, project: &str) -> String {
        self.house.image(&format!("{project}/base:1"))
    }

    /// Where clients write a layout.
    fn layout(&self) -> String {
        format!("{}:1", self.folder.join("back").display())
    }
}

fn brings_what_is_public(client: &Client) {
    let house = House::open();
    let (open, closed) = (Image::random(1, 50_000), Image::random(2, 50_000));
    house.server.repository("library/base").push_image("1", &open).expect("pushed");
    house.server.repository("team/base").push_image("1", &closed).expect("pushed");
    let stranger = Stranger { house: &house, folder: Scratch::new() };
    // Some clients insist on a file where they are told to look for one.
    stranger.folder.write("config.json", "{}");
    (client.pull)(&stranger, "library").run();
    (client.compare)(&stranger, &open);
    let refused = (client.pull)(&stranger, "team").fail();
    assert!(client.closed.iter().all(|words| said(&refused, &[words])), "{refused}");
}

fn assert_layout(who: &Stranger<'_>, image: &Image) {
    Layout::open(&who.folder.join("back")).assert_image(image);
}

fn payload(image: &Image) -> Vec<u8> {
    file_in_tar(&image.layers()[0], "payload").expect("a payload")
}

#[test]
fn podman() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            who.as_root("podman").args(["pull", "--quiet", "--tls-verify=false", &who.image(project)])
        },
        compare: |who, image| {
            let podman = |arguments: &[&str]| {
                let podman =
                    who.as_root("podman").args(["--events-backend=file", "--cgroup-manager=cgroupfs"]);
                podman.args(arguments).run()
            };
            let container = podman(&["create", &who.image("library"), "none"]).text();
            let exported = podman(&["export", &container]).stdout;
            assert!(file_in_tar(&exported, "payload") == Some(payload(image)));
        },
        closed: CLOSED,
    });
}

#[test]
fn buildah() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            let from = who.as_root("buildah").args(["from", "--name", "back", "--tls-verify=false"]);
            from.arg(who.image(project))
        },
        compare: |who, image| {
            let mounted = who.as_root("buildah").args(["mount", "back"]).run().text();
            let found = Program::as_root("cat").arg(format!("{mounted}/payload")).run().stdout;
            who.as_root("buildah").args(["rm", "back"]).run();
            assert!(found == payload(image));
        },
        closed: CLOSED,
    });
}

#[test]
fn skopeo() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            let copy = who.program(Program::new(system("skopeo"))).args(["--insecure-policy", "copy"]);
            let copy = copy.args(["--preserve-digests", "--src-tls-verify=false"]);
            copy.args([format!("docker://{}", who.image(project)), format!("oci:{}", who.layout())])
        },
        compare: assert_layout,
        closed: CLOSED,
    });
}

#[test]
fn oras() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            let copy = who.program(Program::new(tool("oras"))).args(["copy", "--from-plain-http"]);
            copy.arg(who.image(project)).arg("--to-oci-layout").arg(who.layout())
        },
        compare: assert_layout,
        closed: CLOSED,
    });
}

#[test]
fn crane() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            let pull = who.program(Program::new(tool("crane"))).args(["pull", "--insecure", "--format=oci"]);
            pull.arg(who.image(project)).arg(who.folder.join("back"))
        },
        compare: assert_layout,
        closed: CLOSED,
    });
}

#[test]
fn regctl() {
    brings_what_is_public(&Client {
        pull: |who, project| {
            let regctl = || who.program(Program::new(tool("regctl")));
            let set = regctl().args(["registry", "set", "--tls=disabled", "--skip-check"]);
            set.arg(who.house.server.address()).run();
            let copy = regctl().args(["image", "copy", &who.image(project)]);
            copy.arg(format!("ocidir://{}", who.layout()))
        },
        compare: assert_layout,
        closed: CLOSED,
    });
}

/// What is there to be pulled is a chart that the administrator pushes first.
fn helm_pull(who: &Stranger<'_>, version: &str, project: &str) -> Program {
    who.folder.write("berry/Chart.yaml", "apiVersion: v2\nname: berry\nversion: 1.2.3\n");
    who.program(Program::new(tool(version))).args(["package", "berry"]).run();
    let charts = format!("oci://{}", who.house.image(&format!("{project}/charts")));
    let push = Program::new(tool(version)).args(["push", "berry-1.2.3.tgz", &charts, "--plain-http"]);
    push.env("HOME", who.folder.path()).folder(who.folder.path()).run();
    let pull = who.program(Program::new(tool(version))).args(["pull", &format!("{charts}/berry")]);
    let pull = pull.args(["--version", "1.2.3", "--plain-http", "--destination"]);
    pull.arg(who.folder.folder("back"))
}

fn assert_chart(who: &Stranger<'_>, _: &Image) {
    let [sent, got] = ["berry-1.2.3.tgz", "back/berry-1.2.3.tgz"].map(|file| fs::read(who.folder.join(file)));
    assert!(sent.expect("packaged") == got.expect("pulled"));
}

#[test]
fn helm_3() {
    brings_what_is_public(&Client {
        pull: |who, project| helm_pull(who, "helm3", project),
        compare: assert_chart,
        closed: CLOSED,
    });
}

#[test]
fn helm_4() {
    brings_what_is_public(&Client {
        pull: |who, project| helm_pull(who, "helm4", project),
        compare: assert_chart,
        closed: CLOSED,
    });
}

fn cosign_save(who: &Stranger<'_>, version: &str, project: &str) -> Program {
    let save = who.program(Program::new(tool(version))).args(["save", "--allow-http-registry", "--dir"]);
    save.arg(who.folder.join("back")).arg(who.image(project))
}

#[test]
fn cosign_2() {
    brings_what_is_public(&Client {
        pull: |who, project| cosign_save(who, "cosign2", project),
        compare: assert_layout,
        closed: CLOSED,
    });
}

#[test]
fn cosign_3() {
    brings_what_is_public(&Client {
        pull: |who, project| cosign_save(who, "cosign3", project),
        compare: assert_layout,
        closed: CLOSED,
    });
}
