//! crane: copies an index between repositories, lists, deletes.

use berth_testkit::{BerthServer, Index, Layout, Program, Scratch, tool};

fn crane(command: &str) -> Program {
    Program::new(tool("crane")).args([command, "--insecure"])
}

#[test]
fn an_index_is_copied_to_another_project() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let index = Index::random(1, 200_000);
    server.repository("library/crane").push_index("1", &index).expect("pushed");
    let (here, there) = (server.image("library/crane:1"), server.image("elsewhere/deep/er/crane:2"));

    crane("copy").arg(&here).arg(&there).run();
    assert_eq!(crane("manifest").arg(&there).run().stdout, index.content());
    assert_eq!(crane("digest").arg(&there).run().text(), index.digest().to_string());

    let back = scratch.join("back");
    crane("pull").args(["--format=oci"]).arg(&there).arg(&back).run();
    Layout::open(&back).assert_index(&index);
}

#[test]
fn an_image_is_pushed_from_a_layout() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let image = berth_testkit::Image::random(4, 300_000);
    let source = Layout::of_image(&scratch.folder("source"), "1", &image);
    crane("push").arg(source.path()).arg(server.image("library/crane/pushed:1")).run();
    server.repository("library/crane/pushed").assert_image("1", &image);
}

#[test]
fn tags_are_listed_moved_and_deleted() {
    let server = BerthServer::start();
    let repository = server.repository("library/tags");
    let image = berth_testkit::Image::random(2, 5000);
    repository.push_image("b", &image).expect("pushed");
    crane("tag").arg(server.image("library/tags:b")).arg("a").run();
    crane("tag").arg(server.image("library/tags:b")).arg("Z").run();
    assert_eq!(crane("ls").arg(server.image("library/tags")).run().text(), "Z\na\nb");

    crane("delete").arg(server.image("library/tags:a")).run();
    assert_eq!(crane("ls").arg(server.image("library/tags")).run().text(), "Z\nb");
    crane("delete").arg(server.image(&format!("library/tags@{}", image.digest()))).run();
    assert_eq!(crane("ls").arg(server.image("library/tags")).run().text(), "");
}

#[test]
fn the_catalog_is_paged_through() {
    let server = BerthServer::start();
    let image = berth_testkit::Image::random(3, 100);
    let mut names: Vec<_> = (0..7).map(|number| format!("library/catalog-{number}")).collect();
    for name in &names {
        server.repository(name).push_image("1", &image).expect("pushed");
    }
    names.sort();
    let listed = Program::new(tool("crane")).args(["catalog", "--insecure"]).arg(server.address()).run();
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), names);
}
