//! helm 3 and 4: charts as OCI artifacts.

use std::fs;

use berth_testkit::{BerthServer, Program, Scratch, tool};

#[test]
fn helm_3_pushes_shows_and_pulls_a_chart() {
    a_chart_makes_its_round_trip("helm3");
}

#[test]
fn helm_4_pushes_shows_and_pulls_a_chart() {
    a_chart_makes_its_round_trip("helm4");
}

fn a_chart_makes_its_round_trip(version: &str) {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let helm = |arguments: &[&str]| {
        let program = Program::new(tool(version)).args(arguments).folder(scratch.path());
        program.env("HOME", scratch.path()).env("HELM_CACHE_HOME", scratch.join("cache"))
    };
    scratch.write(
        "berry/Chart.yaml",
        "apiVersion: v2\nname: berry\nversion: 1.2.3\ndescription: A chart of a story\n",
    );
    scratch.write("berry/values.yaml", "colour: red\n");
    scratch.write(
        "berry/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.colour }}\n",
    );
    helm(&["package", "berry"]).run();

    let folder = format!("oci://{}", server.image("library/charts"));
    let chart = format!("{folder}/berry");
    helm(&["push", "berry-1.2.3.tgz", &folder, "--plain-http"]).run();
    let shown = helm(&["show", "chart", &chart, "--version", "1.2.3", "--plain-http"]).run();
    assert!(shown.text().contains("A chart of a story"), "{shown}");
    let values = helm(&["show", "values", &chart, "--version", "1.2.3", "--plain-http"]).run();
    assert!(values.text().contains("colour: red"), "{values}");

    let back = scratch.folder("back");
    helm(&["pull", &chart, "--version", "~1.2", "--plain-http", "--destination"]).arg(&back).run();
    let (sent, got) = (scratch.join("berry-1.2.3.tgz"), back.join("berry-1.2.3.tgz"));
    assert!(fs::read(sent).expect("packaged") == fs::read(got).expect("pulled"));
    let rendered = helm(&["template", "story", &chart, "--version", "1.2.3", "--plain-http"]).run();
    assert!(rendered.text().contains("name: red"), "{rendered}");
}
