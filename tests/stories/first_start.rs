//! The first start on PostgreSQL: nothing secret is made up, what must be given is named, and a start that was refused leaves nothing
//! behind that a better one stumbles over.

use berth_testkit::credentials::{ADMIN, ADMIN_PASSWORD};
use berth_testkit::{BerthServer, Finished, Image, Postgres, Request, Scratch};

const KEY: &str = "the key that stays in the end";
const PASSWORD_SAYS: &[&str] = &["BERTH_ADMIN_PASSWORD", "BERTH_ADMIN_PASSWORD_FILE"];
const KEY_SAYS: &[&str] = &["16 random characters", "BERTH_ACCESS__SECRET_KEY_FILE"];

/// A place for an installation, where nothing is yet.
struct Site {
    database: String,
    scratch: Scratch,
}

impl Site {
    /// Starts it with these variables, in vain.
    #[track_caller]
    fn refused(&self, given: &[(&str, &str)]) -> Finished {
        let berth = BerthServer::program("serve").args(["--listen", "127.0.0.1:0"]);
        let berth = berth.arg("--data").arg(self.scratch.join("data"));
        let berth = berth.env("BERTH_DATABASE__URL", Postgres::shared().url(&self.database));
        let berth = given.iter().fold(berth, |berth, (name, value)| berth.env(name, value));
        let refused = berth.env("XDG_CONFIG_HOME", self.scratch.path()).fail();
        assert_eq!(refused.status.code(), Some(2), "{refused}");
        for file in ["secret_key", "admin_password"] {
            assert!(!self.scratch.join("data").join(file).exists(), "{file} was made up");
        }
        refused
    }

    fn count(&self, rows: &str) -> String {
        Postgres::shared().sql(&self.database, &format!("SELECT count(*) FROM {rows}"))
    }
}

#[track_caller]
fn assert_says(refused: &Finished, words: &[&str]) {
    let complaints = refused.complaints();
    assert!(words.iter().all(|word| complaints.contains(word)), "{words:?} in {refused}");
}

#[test]
fn with_postgresql_a_key_and_a_password_must_be_given() {
    let site = Site { database: Postgres::shared().new_name(), scratch: Scratch::new() };
    let password = ("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD);
    let key = |key| ("BERTH_ACCESS__SECRET_KEY", key);
    // Without a key to seal with, the database is not even asked.
    for given in [&[][..], &[password]] {
        let refused = site.refused(given);
        assert_says(&refused, KEY_SAYS);
        assert_says(&refused, &["access.secret_key"]);
    }
    assert_says(&site.refused(&[password, key("")]), KEY_SAYS);
    assert_says(&site.refused(&[password, key("too short")]), &["16 random characters"]);
    assert_eq!(site.count("information_schema.tables WHERE table_schema = 'public'"), "0");

    let first_try = key("a key of which nothing may remain");
    for given in [&[first_try][..], &[first_try, ("BERTH_ADMIN_PASSWORD", "")]] {
        assert_says(&site.refused(given), PASSWORD_SAYS);
    }
    let weak = site.refused(&[first_try, ("BERTH_ADMIN_PASSWORD", "weak")]);
    assert_says(&weak, &["BERTH_ADMIN_PASSWORD cannot be used"]);
    assert_eq!(site.count("users"), "0");

    // Both in the other way that was named, and with another key than the one before.
    let file = |name: &str, content: &str| site.scratch.write(name, format!("{content}\n"));
    let setup = BerthServer::setup().data(site.scratch.join("data")).unset("admin_password");
    let setup = setup.set("admin_password_file", file("password", ADMIN_PASSWORD).display());
    let setup = setup.unset("access.secret_key").set("access.secret_key_file", file("key", KEY).display());
    let server = setup.set("database.url", Postgres::shared().url(&site.database)).start();
    let current = |password| server.ask(&Request::get("/api/v2.0/users/current").login(ADMIN, password));
    assert_eq!(current(ADMIN_PASSWORD).expect(200).json()["username"], ADMIN);
    current("Wr0ng-password").expect(401);
    let image = Image::random(1, 100_000);
    server.repository("library/first").push_image("1", &image).expect("pushed");
    drop(server);

    // From now on the database knows its key.
    assert_says(&site.refused(&[password, first_try]), &["access.secret_key", "first started with"]);
    let again = BerthServer::setup().data(site.scratch.join("data")).set("access.secret_key", KEY);
    // And its administrator.
    let again = again.unset("admin_password").set("database.url", Postgres::shared().url(&site.database));
    again.start().repository("library/first").assert_image("1", &image);
}
