//! What a database keeps although it follows from something else is compared and put right by `berth fsck`, beside a server that is
//! pushed to.

use std::thread;

use berth_testkit::{BerthServer, Image, Postgres, Repository, Scratch};

/// A server over PostgreSQL, whose database can be damaged while it runs.
struct Common {
    database: String,
    blobs: Scratch,
}

impl Common {
    fn new() -> Self {
        Self { database: Postgres::shared().new_name(), blobs: Scratch::new() }
    }

    fn start(&self) -> BerthServer {
        let setup = BerthServer::setup().set("database.url", Postgres::shared().url(&self.database));
        setup.set("storage.directory", self.blobs.path().display()).start()
    }

    fn damage(&self, sql: &str) {
        Postgres::shared().sql(&self.database, sql);
    }
}

#[test]
fn damage_is_named_line_by_line_and_put_right() {
    let common = Common::new();
    let server = common.start();
    let (kept, image) = (server.repository("library/kept"), Image::random(1, 50_000));
    kept.push_image("1", &image).expect("pushed");
    kept.push_image("2", &Image::random(2, 50_000)).expect("pushed");
    server.assert_sound();
    common.damage(
        "UPDATE counters SET amount = amount + 7;
         UPDATE repositories SET filled = FALSE;
         UPDATE project_blobs SET links = 9, size = size + 1 WHERE digest = (SELECT digest FROM project_blobs ORDER BY 1 LIMIT 1);
         DELETE FROM manifest_references WHERE role = 1;
         UPDATE manifests SET artifact_type = 'none';",
    );
    let words = [
        "the number of repositories in library that hold sha256:",
        "the size of sha256:",
        "the number of bytes in library ",
        "the number of manifests in library/kept ",
        "the number of tags in library/kept ",
        "library/kept has manifests and is not listed",
    ];
    let lines = |text: &str, start: &str, end: &str| {
        text.lines().filter(|line| line.starts_with(start) && line.ends_with(end)).count()
    };
    let found = server.berth("fsck").fail();
    for word in words {
        assert_eq!(
            lines(&found.text(), &format!("inconsistent: {word}"), "; run with --repair to put it right"),
            1,
            "{found}"
        );
    }
    assert_eq!(lines(&found.text(), "inconsistent: ", ""), words.len(), "{found}");
    assert!(
        found.text().ends_with(
            "6 inconsistent (0 put right), 0 recovered, 0 lost uploads, 0 orphans (0 removed), 0 foreign"
        ),
        "{found}"
    );
    let found = server.berth("fsck").args(["--deep", "--repair"]).fail();
    assert_eq!(lines(&found.text(), "inconsistent: ", "; put right"), words.len() + 2, "{found}");
    let manifest = format!("inconsistent: manifest library/kept@{}: in the database, ", image.digest());
    assert_eq!(
        lines(&found.text(), &manifest, "are missing; it has another artifact type; put right"),
        1,
        "{found}"
    );
    server.assert_sound();
    kept.assert_image("1", &image);
}

#[test]
fn a_server_that_is_pushed_to_is_sound_all_the_while() {
    let common = Common::new();
    let server = common.start();
    thread::scope(|scope| {
        let pushing: Vec<_> = (1..=3)
            .map(|seed| {
                let repository = server.repository(&format!("library/busy{seed}"));
                scope.spawn(move || come_and_go(&repository, seed))
            })
            .collect();
        loop {
            server.assert_sound();
            // What is right is left as it is, also by whoever may change it.
            let found = server.berth("fsck").args(["--deep", "--repair"]).run();
            assert!(!found.text().contains("inconsistent: "), "{found}");
            if pushing.iter().all(thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
    });
    server.assert_sound();
}

fn come_and_go(repository: &Repository, seed: u64) {
    for round in 0..60 {
        let image = Image::random(seed * 1000 + round, 10_000);
        repository.push_image(&format!("t{}", round % 5), &image).expect("pushed");
        if round % 3 == 0 {
            repository.delete_manifest(&image.digest().to_string()).expect("an answer").expect(202);
        }
    }
}
