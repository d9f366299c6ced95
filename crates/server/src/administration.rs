//! What an administrator does with the database itself, beside a running server or without one.

mod robots;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use berth_access::keyring::{Keyring, KeyringParts};
use berth_access::password::Passwords;
use berth_access::{Secret, first_start, robot_secret};
use berth_config::Config;
use berth_domain::{Clock, Entropy, SystemClock, SystemEntropy, user};
use berth_metadata::Metadata;
use berth_metadata_sql::Schema;

use crate::{accounts, embedded, wiring};

pub use robots::{ListedRobot, robots};

/// Gives `admin` another password: this one, or one that is made up and given back. Everything that was issued to `admin` ends.
pub async fn reset_admin_password(config: &Config, password: Option<String>) -> Result<Secret> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let password = match password {
        Some(given) => {
            user::check_password(&given)?;
            Secret::new(given)
        }
        None => robot_secret::generate(entropy.as_ref()),
    };
    let passwords = Passwords::new(accounts::passwords(config), entropy)?;
    let done = with_database(config, async |metadata| {
        let given = password.clone();
        Ok(first_start::reset_admin_password(metadata.as_ref(), &passwords, &SystemClock, given).await?)
    });
    ensure!(done.await?, "there is no administrator yet: the first `berth serve` makes it");
    Ok(password)
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// How many secrets were sealed again.
    pub resealed: usize,
    /// The file of the key that was made for it, if the installation makes its own.
    pub new_key: Option<PathBuf>,
}

/// Seals every secret in the database under another key: one that an embedded installation makes now, else the configured one. Every
/// step leaves an installation that opens, and that a repetition finishes.
pub async fn rotate_secrets(config: &Config) -> Result<Rotated> {
    rotate_secrets_with(config, Arc::new(SystemEntropy)).await
}

/// The same with this randomness, of which every step takes some before it changes anything.
pub(crate) async fn rotate_secrets_with(config: &Config, entropy: Arc<dyn Entropy>) -> Result<Rotated> {
    if !config.access.secret_key.is_empty() {
        ensure!(
            !config.access.previous_secret_key.is_empty(),
            "nothing is to be done under one key: give the new key as access.secret_key and the old one as access.previous_secret_key"
        );
        return Ok(Rotated { resealed: reseal(config, entropy).await?, new_key: None });
    }
    embedded::existing_database(config)?;
    let new_key = accounts::replace_own_key(config, entropy.as_ref())?;
    let resealed = reseal(config, entropy).await?;
    accounts::forget_earlier_key(config)?;
    Ok(Rotated { resealed, new_key: Some(new_key) })
}

/// Lets a new key sign tokens before its time. Whether there is one; not while two are valid.
pub async fn rotate_token_key(config: &Config) -> Result<bool> {
    with_database(config, async |metadata| {
        Ok(keyring(config, metadata, Arc::new(SystemEntropy)).await?.rotate_now().await?)
    })
    .await
}

/// Seals every secret again; how many.
async fn reseal(config: &Config, entropy: Arc<dyn Entropy>) -> Result<usize> {
    with_database(config, async |metadata| Ok(keyring(config, metadata, entropy).await?.reseal().await?))
        .await
}

async fn keyring(config: &Config, metadata: Arc<dyn Metadata>, entropy: Arc<dyn Entropy>) -> Result<Keyring> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let seals = Arc::new(accounts::seals(config, entropy.as_ref())?);
    let parts = KeyringParts { metadata, clock, entropy, seals };
    let keyring = Keyring::open(parts, accounts::tokens(config), accounts::rotation(config)).await;
    keyring.context("the secrets in the database cannot be read")
}

/// Does something with the database of an installation that is there, and closes it.
async fn with_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(Arc<dyn Metadata>) -> Result<T>,
) -> Result<T> {
    if config.embedded_database().is_some() {
        embedded::existing_database(config)?;
    }
    let metadata = wiring::metadata(config, Schema::AsItIs).await?;
    let done = work(Arc::clone(&metadata)).await;
    metadata.close().await;
    done
}
