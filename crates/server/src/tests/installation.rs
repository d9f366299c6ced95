//! A directory of blobs is only taken for the database's own.

use std::fs;
use std::path::PathBuf;

use berth_config::{Config, Size};
use tempfile::TempDir;

use crate::tests::client::{get, push_blob, send, status};
use crate::tests::{config, start};
use crate::{Server, embedded};

const DIGEST: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// The data of a server that took one blob and ended.
async fn installation() -> (TempDir, Config, PathBuf) {
    let server = start(|config| config.registry.inline_limit = Size::new(0)).await;
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    );
    assert_eq!(status(&send(server.address, &push).await), 201);
    let data = TempDir::new().unwrap();
    fs::rename(server.data.path().join("data"), data.path().join("data")).unwrap();
    drop(server.stop);
    server.task.await.unwrap();
    let config = config(&data);
    let blobs = config.blob_directory();
    (data, config, blobs)
}

/// Why a start failed, after which the database is one file as before.
async fn refused(config: &Config) -> String {
    let said = format!("{:#}", Server::bind(config).await.unwrap_err());
    assert!(!config.data.directory.join("berth.db-wal").exists(), "{said}");
    said
}

/// What somebody does who knows better.
fn write_what_was_said(said: &str) {
    let line = said.split(" write ").nth(1).unwrap();
    let (name, mark) = line.split_once(" into ").unwrap();
    fs::write(mark, name).unwrap();
}

#[tokio::test]
async fn a_volume_that_is_not_mounted_is_not_an_empty_one() {
    let (_data, config, blobs) = installation().await;
    drop(Server::bind(&config).await.unwrap());
    let away = blobs.with_extension("away");
    fs::rename(&blobs, &away).unwrap();
    let said = refused(&config).await;
    assert!(said.contains("is its volume mounted?"), "{said}");
    write_what_was_said(&said);
    drop(Server::bind(&config).await.unwrap());
    fs::remove_dir_all(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();
    drop(Server::bind(&config).await.unwrap());
}

#[tokio::test]
async fn blobs_of_another_installation_are_refused_with_a_mark_and_without() {
    let (_one, mut config, blobs) = installation().await;
    let (_two, _, theirs) = installation().await;
    config.storage.directory = Some(theirs.clone());
    let said = refused(&config).await;
    assert!(said.contains("of the installation") && said.contains("storage.directory"), "{said}");
    fs::remove_file(theirs.join("installation")).unwrap();
    // The same content was pushed to both, but a name is never used twice.
    let said = refused(&config).await;
    assert!(said.contains("none that this database names") && said.contains("storage.directory"), "{said}");
    assert!(!theirs.join("installation").exists());
    // A new database names nothing at all.
    let fresh = TempDir::new().unwrap();
    let mut fresh = super::config(&fresh);
    fresh.storage.directory = Some(theirs.clone());
    let said = refused(&fresh).await;
    assert!(said.contains("none that this database names"), "{said}");
    write_what_was_said(&said);
    drop(Server::bind(&fresh).await.unwrap());

    fs::write(blobs.join("installation"), "no name").unwrap();
    config.storage.directory = None;
    let said = refused(&config).await;
    assert!(said.contains("cannot be read: bring it back, or remove it"), "{said}");
}

#[tokio::test]
async fn its_own_blobs_are_adopted_without_a_mark_and_so_is_what_holds_none() {
    let (_data, config, blobs) = installation().await;
    let mark = blobs.join("installation");
    let before = fs::read(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    drop(Server::bind(&config).await.unwrap());
    assert_eq!(fs::read(&mark).unwrap(), before);

    // Another registry's tree, and an upload that never came to its end, are no blobs of anybody.
    let elsewhere = TempDir::new().unwrap();
    let directory = elsewhere.path().join("volume");
    let foreign = directory.join("docker/registry/v2/blobs/sha256/2c/2cf24dba/data");
    let unfinished = directory.join("uploads/3f0c9a51e2b84d3c8a7f001122334460");
    for file in [&foreign, &unfinished] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "hello").unwrap();
    }
    let mut fresh = super::config(&elsewhere);
    fresh.storage.directory = Some(directory.clone());
    drop(Server::bind(&fresh).await.unwrap());
    assert!(directory.join("installation").exists() && foreign.exists());
}

#[tokio::test]
async fn a_volume_that_goes_makes_the_server_unready() {
    let server = start(|_| {}).await;
    assert_eq!(status(&get(server.address, "/readyz").await), 200);
    // Another directory stands where the volume was.
    fs::remove_file(server.data.path().join("data/blobs/installation")).unwrap();
    let unready = loop {
        let answer = get(server.address, "/readyz").await;
        if status(&answer) != 200 {
            break answer;
        }
    };
    assert!(unready.contains("not ready: "), "{unready}");
    assert!(server.end().await);
}

#[tokio::test]
async fn a_volume_that_is_gone_condemns_nothing_of_what_it_holds() {
    let server = start(|_| {}).await;
    let content = "b".repeat(100_000);
    let path = push_blob(server.address, &content).await;
    let (blobs, away) = (server.data.path().join("data/blobs"), server.data.path().join("data/away"));
    fs::rename(&blobs, &away).unwrap();
    // With another directory in its place, and with none.
    for _ in 0..2 {
        let answer = get(server.address, &path).await;
        assert_eq!(status(&answer), 503, "{answer}");
        assert!(answer.contains("is mounted; nothing was lost"), "{answer}");
        fs::create_dir_all(blobs.join("blobs")).unwrap();
    }
    fs::remove_dir_all(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();
    assert!(get(server.address, &path).await.ends_with(&content));
    assert!(server.end().await);
}

#[tokio::test]
async fn a_backup_comes_back_into_an_empty_storage_directory_only() {
    let (data, config, _) = installation().await;
    let backup = data.path().join("backup");
    embedded::backup(&config, &backup).await.unwrap();
    let elsewhere = TempDir::new().unwrap();
    let mut fresh = super::config(&elsewhere);
    let full = elsewhere.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("something"), "of value").unwrap();
    fresh.storage.directory = Some(full);
    let said = embedded::restore(&fresh, &backup).await.unwrap_err().to_string();
    assert!(said.contains("is not empty, it holds something"), "{said}");
    fresh.storage.directory = Some(elsewhere.path().join("empty"));
    assert_eq!(embedded::restore(&fresh, &backup).await.unwrap().blobs, 1);
    drop(Server::bind(&fresh).await.unwrap());
}
