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
    let metadata = existing(config).await?;
    let passwords = Passwords::new(accounts::passwords(config), entropy)?;
    let done =
        first_start::reset_admin_password(metadata.as_ref(), &passwords, &SystemClock, password.clone());
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
        return Ok(Rotated { resealed: keyring(config, entropy).await?.reseal().await?, new_key: None });
    }
    embedded::existing_database(config)?;
    let new_key = accounts::replace_own_key(config, entropy.as_ref())?;
    let resealed = keyring(config, entropy).await?.reseal().await?;
    accounts::forget_earlier_key(config)?;
    Ok(Rotated { resealed, new_key: Some(new_key) })
}

/// Lets a new key sign tokens before its time. Whether there is one; not while two are valid.
pub async fn rotate_token_key(config: &Config) -> Result<bool> {
    Ok(keyring(config, Arc::new(SystemEntropy)).await?.rotate_now().await?)
}

async fn keyring(config: &Config, entropy: Arc<dyn Entropy>) -> Result<Keyring> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metadata = existing(config).await?;
    let seals = Arc::new(accounts::seals(config, entropy.as_ref())?);
    let parts = KeyringParts { metadata, clock, entropy, seals };
    let keyring = Keyring::open(parts, accounts::tokens(config), accounts::rotation(config)).await;
    keyring.context("the secrets in the database cannot be read")
}

/// The database of an installation that is there.
async fn existing(config: &Config) -> Result<Arc<dyn Metadata>> {
    if config.embedded_database().is_some() {
        embedded::existing_database(config)?;
    }
    wiring::metadata(config, Schema::AsItIs).await
}
