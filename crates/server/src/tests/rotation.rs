//! Another key for the secrets in the database: beside a running server, and stopped in the middle.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use berth_config::{Config, Secret, Size};
use berth_domain::Entropy;
use futures::FutureExt as _;
use tempfile::TempDir;

use crate::accounts::{EARLIER_KEY, SECRET_KEY};
use crate::administration::{rotate_secrets, rotate_secrets_with, rotate_token_key};
use crate::private_file;
use crate::tests::config;
use crate::wiring::Parts;

const OLD: &str = "the key of the configuration before";
const NEW: &str = "the key of the configuration after it";

/// Randomness that is there so many times; then whoever asks for more dies.
#[derive(Debug)]
struct Draws(AtomicU32);

impl Entropy for Draws {
    fn fill(&self, bytes: &mut [u8]) {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let left = left.expect("stopped here");
        // Every key is made of one draw.
        for (at, byte) in (0..).zip(bytes) {
            *byte = u8::try_from((7 * at + left) % 248).unwrap();
        }
    }
}

/// An installation with three secrets: two keys of tokens and the key of generated secrets, which is given back.
async fn installation(change: impl FnOnce(&mut Config)) -> (TempDir, Config, [u8; 32]) {
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data);
    config.access.password_memory = Size::new(8 << 10);
    config.access.password_iterations = 1;
    change(&mut config);
    let kept = kept(&config).await.unwrap();
    assert!(rotate_token_key(&config).await.unwrap());
    (data, config, kept)
}

/// Opens the installation as a server would; the key of its generated secrets.
pub(super) async fn kept(config: &Config) -> anyhow::Result<[u8; 32]> {
    std::fs::create_dir_all(&config.data.directory).unwrap();
    Ok(*Parts::open(config, true).await?.gatekeeper.secret_key.bytes())
}

/// Rotates, and stops after so many draws. Whether it came to its end.
async fn rotate(config: &Config, draws: u32) -> bool {
    let entropy = Arc::new(Draws(AtomicU32::new(draws)));
    let rotating = AssertUnwindSafe(rotate_secrets_with(config, entropy)).catch_unwind();
    rotating.await.map(|done| done.unwrap()).is_ok()
}

fn key(config: &Config, name: &str) -> Option<String> {
    private_file::read(&config.data.directory.join(name)).unwrap()
}

#[tokio::test]
async fn a_running_server_takes_the_new_key_into_use() {
    let (_data, config, _) = installation(|_| {}).await;
    let running = Parts::open(&config, true).await.unwrap();
    let keyring = running.gatekeeper.keyring();
    rotate_secrets(&config).await.unwrap();
    keyring.tend().await.unwrap();
    rotate_secrets(&config).await.unwrap();
    assert_eq!(keyring.secret_key().await.unwrap().bytes(), running.gatekeeper.secret_key.bytes());
    drop(running);
    kept(&config).await.unwrap();
}

#[tokio::test]
async fn what_a_running_server_seals_after_a_rotation_opens_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let config = config(&data);
    kept(&config).await.unwrap();
    let running = Parts::open(&config, true).await.unwrap();
    rotate_secrets(&config).await.unwrap();
    assert!(
        running.gatekeeper.keyring().rotate_now().await.unwrap(),
        "a key, before it heard of the new one"
    );
    drop(running);
    kept(&config).await.unwrap();
}

#[tokio::test]
async fn an_own_keys_rotation_that_stops_anywhere_is_finished_by_another() {
    let mut draws = 0;
    loop {
        let (_data, config, before) = installation(|_| {}).await;
        let first = key(&config, SECRET_KEY);
        let complete = rotate(&config, draws).await;
        assert_eq!(kept(&config).await.unwrap(), before, "a server starts after {draws} draws");
        rotate_secrets(&config).await.unwrap();
        assert_eq!(key(&config, EARLIER_KEY), None);
        assert_ne!(key(&config, SECRET_KEY), first);
        assert_eq!(kept(&config).await.unwrap(), before, "after {draws} draws and another rotation");
        if complete {
            break;
        }
        draws += 1;
    }
    assert_eq!(draws, 4, "the new key, and a nonce for each of three secrets");
}

#[tokio::test]
async fn an_own_keys_rotation_that_only_left_the_earlier_key_is_finished_by_another() {
    let (_data, config, before) = installation(|_| {}).await;
    let first = key(&config, SECRET_KEY).unwrap();
    rotate_secrets(&config).await.unwrap();
    let second = key(&config, SECRET_KEY);
    private_file::write(&config.data.directory.join(EARLIER_KEY), &first).unwrap();
    assert_eq!(kept(&config).await.unwrap(), before);
    assert_eq!(rotate_secrets(&config).await.unwrap().resealed, 0);
    assert_eq!((key(&config, SECRET_KEY), key(&config, EARLIER_KEY)), (second, None));
    assert_eq!(kept(&config).await.unwrap(), before);
}

#[tokio::test]
async fn a_configured_keys_rotation_that_stops_anywhere_is_finished_by_another() {
    let mut draws = 0;
    loop {
        let (_data, old, before) = installation(|config| config.access.secret_key = Secret::new(OLD)).await;
        let mut both = old.clone();
        both.access.secret_key = Secret::new(NEW);
        both.access.previous_secret_key = Secret::new(OLD);
        let mut new = both.clone();
        new.access.previous_secret_key = Secret::new("");
        let complete = rotate(&both, draws).await;
        assert_eq!(kept(&both).await.unwrap(), before, "with both keys after {draws} draws");
        assert_eq!(kept(&old).await.is_ok(), !complete, "all of it, or nothing, after {draws} draws");
        rotate_secrets(&both).await.unwrap();
        assert_eq!(kept(&new).await.unwrap(), before);
        assert!(kept(&old).await.is_err());
        if complete {
            break;
        }
        draws += 1;
    }
    assert_eq!(draws, 3, "a nonce for each of three secrets");
}
