//! oras: artifacts of any kind, and what is attached to them.

use std::fs;

use berth_testkit::{BerthServer, Program, Scratch, random_bytes, tool};

fn oras(command: &str, scratch: &Scratch) -> Program {
    // Paths are given as they are in the working folder: oras writes them into the manifest.
    Program::new(tool("oras")).args([command, "--plain-http"]).folder(scratch.path())
}

#[test]
fn a_model_is_pushed_described_and_pulled() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let model = random_bytes(1, 3_000_000);
    scratch.write("model.bin", &model);
    scratch.write("sbom.json", r#"{"components":[]}"#);
    scratch.write("signature", "signed");
    let image = server.image("library/oras/model:1");

    let push =
        oras("push", &scratch).args(["--artifact-type", "application/vnd.story.model", "--format", "json"]);
    push.arg(&image).arg("model.bin:application/octet-stream").run();
    let attach = |artifact_type: &str, file: &str| {
        oras("attach", &scratch).args(["--artifact-type", artifact_type, &image, file]).run();
    };
    attach("application/vnd.story.sbom", "sbom.json:application/json");
    attach("application/vnd.story.signature", "signature:text/plain");

    let discover = |more: &[&str]| {
        oras("discover", &scratch).args(["--format", "json"]).args(more).arg(&image).run().json()
    };
    let all = discover(&[]);
    assert_eq!(all["referrers"].as_array().map(Vec::len), Some(2), "{all}");
    let filtered = discover(&["--artifact-type", "application/vnd.story.sbom"]);
    assert_eq!(filtered["referrers"].as_array().map(Vec::len), Some(1), "{filtered}");

    let attached = filtered["referrers"][0]["reference"].as_str().expect("a reference").to_owned();
    oras("pull", &scratch).args(["--output", "back", &image]).run();
    oras("pull", &scratch).args(["--output", "back", &attached]).run();
    assert!(fs::read(scratch.join("back/model.bin")).expect("pulled") == model);
    assert_eq!(fs::read_to_string(scratch.join("back/sbom.json")).expect("pulled"), r#"{"components":[]}"#);
}

#[test]
fn a_tree_of_referrers_is_copied_whole() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    scratch.write("file", "content");
    scratch.write("note", "what is attached");
    let (here, there) = (server.image("library/oras/from:1"), server.image("library/oras/to:1"));
    oras("push", &scratch).args([&here, "file:text/plain"]).run();
    oras("attach", &scratch)
        .args(["--artifact-type", "application/vnd.story.note", &here, "note:text/plain"])
        .run();
    let copy =
        Program::new(tool("oras")).args(["copy", "--from-plain-http", "--to-plain-http", "--recursive"]);
    copy.arg(&here).arg(&there).run();
    let found = oras("discover", &scratch).args(["--format", "json"]).arg(&there).run().json();
    assert_eq!(found["referrers"][0]["artifactType"], "application/vnd.story.note", "{found}");
    let attached = found["referrers"][0]["reference"].as_str().expect("a reference");
    assert!(attached.starts_with(&server.image("library/oras/to@")), "{attached}");
    for reference in [&there, attached] {
        oras("pull", &scratch).args(["--output", "back", reference]).run();
    }
    let back = |name: &str| fs::read_to_string(scratch.join("back").join(name)).expect("pulled");
    assert_eq!((back("file").as_str(), back("note").as_str()), ("content", "what is attached"));
}
