//! Backups of a running server, and servers on what was restored from them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use berth_registry::fsck::Options;
use tokio::io::AsyncWriteExt;

use crate::administration::rotate_secrets;
use crate::data_directory::DataDirectory;
use crate::{Parts, Server, embedded};

use crate::tests::client::{get, one, send, status};
use crate::tests::{config, drain, rotation, start};

const DIGEST: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn what_was_pushed_before_a_backup_is_pulled_from_its_restoration() {
    let server = start(|config| config.registry.inline_limit = berth_config::Size::new(0)).await;
    assert_eq!(status(&send(server.address, &push_of_hello()).await), 201);
    let mut upload = drain::half_a_chunk(&server).await;
    upload.write_all(b"done").await.unwrap();
    assert_eq!(status(&one(&mut upload).await.unwrap()), 202, "an unfinished upload stays behind");
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("backup");
    let copied = embedded::backup(&config(&server.data), &backup).await.unwrap();
    assert_eq!((copied.blobs, copied.bytes, copied.missing.len()), (1, 5, 0));
    let again = embedded::backup(&config(&server.data), &backup).await.unwrap_err().to_string();
    assert!(again.contains("is not empty"), "{again}");
    assert!(server.end().await);

    // Root could write all the same, so what it finds afterwards is compared.
    set_modes(&backup, 0o555, 0o444);
    let before = state(&backup);
    let mut of_backup = config(&elsewhere);
    of_backup.data.directory = backup.clone();
    let registry = Parts::to_look(&of_backup).await.unwrap();
    let deep = Options { deep: true, repair: false };
    let report = registry.fsck(deep, &mut |found| panic!("{found:?}")).await.unwrap();
    assert_eq!((report.blobs, report.stored, report.is_clean()), (1, 1, true));
    drop(registry);
    assert_eq!(state(&backup), before, "a check leaves the backup as it was");
    let configuration = config(&elsewhere);
    let copied = embedded::restore(&configuration, &backup).await.unwrap();
    assert_eq!((copied.blobs, copied.missing.len()), (1, 0));
    assert!(embedded::restore(&configuration, &backup).await.is_err());
    let server = Server::bind(&configuration).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));
    let pulled = get(address, &format!("/v2/library/hello/blobs/{DIGEST}")).await;
    assert!(status(&pulled) == 200 && pulled.ends_with("hello"), "{pulled}");
    stop.send(()).unwrap();
    assert!(serving.await.unwrap());
    assert_eq!(state(&backup), before, "a restore and a server on what it made leave the backup as it was");
    assert!(before.iter().any(|(path, ..)| path.ends_with("berth.db")), "{before:?}");
    set_modes(&backup, 0o755, 0o644);
}

#[tokio::test]
async fn a_backup_beside_rotations_opens_or_is_none() {
    let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (installation, backup) = (config(&data), elsewhere.path().join("backup"));
    let before = rotation::kept(&installation).await.unwrap();
    // Whenever the keys were copied, and before the database is.
    let always = async || drop(rotate_secrets(&installation).await.unwrap());
    let refused = embedded::backup_beside(&installation, &backup, always).await.unwrap_err().to_string();
    assert!(refused.contains("if `berth secrets rotate` was interrupted, run it again first"), "{refused}");
    assert_eq!(files(&backup), std::slice::from_ref(&backup), "nothing stands in the way of the next try");
    let mut attempts = 0;
    let twice = async || {
        attempts += 1;
        if attempts <= 2 {
            rotate_secrets(&installation).await.unwrap();
        }
    };
    embedded::backup_beside(&installation, &backup, twice).await.unwrap();
    assert_eq!(attempts, 3);
    let restored = config(&elsewhere);
    embedded::restore(&restored, &backup).await.unwrap();
    assert_eq!(rotation::kept(&restored).await.unwrap(), before);
}

#[tokio::test]
async fn what_another_process_serves_is_no_backup() {
    let data = tempfile::tempdir().unwrap();
    let (used, fresh) = (data.path().join("used"), data.path().join("fresh"));
    let locked = DataDirectory::lock(&used).unwrap();
    fs::write(used.join("berth.db"), "").unwrap();
    let mut configuration = config(&data);
    configuration.data.directory = fresh.clone();
    let said = embedded::restore(&configuration, &used).await.unwrap_err().to_string();
    assert!(said.contains("is in use by another Berth"), "{said}");
    drop(locked);
    let said = format!("{:#}", embedded::restore(&configuration, &used.join("no")).await.unwrap_err());
    assert!(said.contains("holds no backup"), "{said}");
    // What is no database leaves nothing that would stand in the way of the next try.
    fs::write(used.join("berth.db"), [b'x'; 4096]).unwrap();
    let said = format!("{:#}", embedded::restore(&configuration, &used).await.unwrap_err());
    assert!(said.contains("the backup's database cannot be opened"), "{said}");
    assert_eq!(files(&fresh), [fresh.clone(), fresh.join("lock")]);
    // Neither is what a copy that was cut short may leave.
    fs::write(used.join("berth.db"), "").unwrap();
    let said = format!("{:#}", embedded::restore(&configuration, &used).await.unwrap_err());
    assert!(said.contains("no database of Berth's"), "{said}");
    assert_eq!(files(&fresh), [fresh.clone(), fresh.join("lock")]);
}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing_and_one_that_was_killed_no_database() {
    let server = start(|config| config.registry.inline_limit = berth_config::Size::new(0)).await;
    assert_eq!(status(&send(server.address, &push_of_hello()).await), 201);
    let configuration = config(&server.data);
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("backup");
    // A volume of its own may have what volumes have.
    fs::create_dir_all(backup.join("lost+found")).unwrap();
    // Blobs are brought last; what cannot be read ends it.
    let blobs = configuration.blob_directory().join("blobs");
    let away = server.data.path().join("away");
    fs::rename(&blobs, &away).unwrap();
    fs::write(&blobs, "no directory").unwrap();
    let said = format!("{:#}", embedded::backup(&configuration, &backup).await.unwrap_err());
    assert!(said.contains("cannot be copied"), "{said}");
    assert_eq!(files(&backup), [backup.clone(), backup.join("lost+found")]);
    fs::remove_file(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();

    fs::write(backup.join("berth.db.draft"), "").unwrap();
    let said = format!("{:#}", embedded::backup(&configuration, &backup).await.unwrap_err());
    assert!(said.contains("a copy that was interrupted"), "{said}");
    let said = format!("{:#}", embedded::restore(&config(&elsewhere), &backup).await.unwrap_err());
    assert!(said.contains("holds no backup"), "{said}");
    fs::remove_file(backup.join("berth.db.draft")).unwrap();
    let copied = embedded::backup(&configuration, &backup).await.unwrap();
    assert_eq!((copied.blobs, copied.missing.len()), (1, 0));
    assert!(server.end().await);
}

fn push_of_hello() -> String {
    format!(
        "POST /v2/library/hello/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    )
}

/// Everything below a directory, and itself.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let below = entries.map(|entry| entry.unwrap().path());
    std::iter::once(directory.to_owned())
        .chain(below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }))
        .collect()
}

fn set_modes(directory: &Path, directories: u32, files: u32) {
    for path in self::files(directory) {
        let mode = if path.is_dir() { directories } else { files };
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
}

/// What everything is: its bytes, and when it, or what is in it, last changed.
fn state(directory: &Path) -> Vec<(PathBuf, u32, i64, i64, Vec<u8>)> {
    let state = |path: PathBuf| {
        let metadata = path.metadata().unwrap();
        let content = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        (path, metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content)
    };
    let mut states: Vec<_> = files(directory).into_iter().map(state).collect();
    states.sort();
    states
}
