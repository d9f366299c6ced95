//! The first administrator of an installation that was given no password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_config::Secret;
use berth_domain::SystemEntropy;

use super::client::{send, status};
use super::{Running, config, start};
use crate::{Server, accounts, private_file};

/// Whether this is the password of `admin`.
async fn is_admins(running: &Running, password: &str) -> bool {
    let shown = STANDARD.encode(format!("admin:{password}"));
    let asked =
        format!("GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic {shown}\r\nconnection: close\r\n\r\n");
    status(&send(running.address, &asked).await) == 200
}

fn file(data: &Path) -> std::path::PathBuf {
    data.join("data/admin_password")
}

#[tokio::test]
async fn a_password_is_made_up_said_once_and_readable_by_the_owner_only() {
    let first = start(|config| config.access.admin_password = Secret::new("")).await;
    let file = file(first.data.path());
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let said = first.first_password.as_ref().expect("it is said");
    assert_eq!((said.password.reveal(), &said.file), (written.trim_end(), &file));
    assert!(berth_domain::user::check_password(said.password.reveal()).is_ok());
    let password = said.password.reveal().to_owned();
    assert!(is_admins(&first, &password).await && !is_admins(&first, "Harbor12345").await);
    let again = config(&first.data);
    let data = first.stop().await;

    let mut other = start(|config| config.access.admin_password = Secret::new("")).await;
    let others = other.first_password.take().expect("it is said");
    assert_ne!(others.password.reveal(), password, "each installation has its own");
    assert!(other.end().await);

    // What is given later counts no more, and what was said is not said again.
    let second = Server::bind(&again).await.unwrap();
    assert!(second.first_password().is_none());
    let second = Running::of(second, data);
    assert!(is_admins(&second, &password).await && !is_admins(&second, "Admin-Passw0rd").await);
    assert!(second.end().await);
}

#[tokio::test]
async fn a_start_that_died_in_between_is_taken_up() {
    let data = tempfile::tempdir().unwrap();
    let file = file(data.path());
    fs::create_dir(data.path().join("data")).unwrap();
    // As far as the start before this one came: the file, and no account.
    private_file::write(&file, "Made-up-bef0re").unwrap();
    let mut config = config(&data);
    config.access.admin_password = Secret::new("");
    let server = Server::bind(&config).await.unwrap();
    let said = server.first_password().expect("nobody was told before").password.clone();
    assert_eq!(said.reveal(), "Made-up-bef0re");
    let running = Running::of(server, data);
    assert!(is_admins(&running, "Made-up-bef0re").await);
    assert!(running.end().await);
}

#[test]
fn with_postgresql_a_password_must_be_given_and_be_one() {
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data);
    config.database.url = Secret::new("postgres://berth@db/berth");
    let first = |config: &berth_config::Config| accounts::first_password(config, &SystemEntropy);
    let (given, made) = first(&config).unwrap();
    assert_eq!((given.reveal(), made), ("Admin-Passw0rd", None));
    config.access.admin_password = Secret::new("weak");
    assert!(first(&config).unwrap_err().to_string().contains("BERTH_ADMIN_PASSWORD"));
    config.access.admin_password = Secret::new("");
    let refused = first(&config).unwrap_err().to_string();
    assert!(
        refused.contains("no administrator yet") && refused.contains("BERTH_ADMIN_PASSWORD_FILE"),
        "{refused}"
    );
    assert!(!file(data.path()).exists(), "no replica makes up its own");
}
