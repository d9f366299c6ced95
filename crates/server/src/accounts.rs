//! Who may use this installation: its key, its gatekeeper, and the first administrator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use berth_access::authenticator::AuthenticatorSettings;
use berth_access::authority::AuthoritySettings;
use berth_access::brute_force::BruteForceSettings;
use berth_access::password::PasswordSettings;
use berth_access::permissions::SystemRules;
use berth_access::seal::Seals;
use berth_access::token::{LONGEST_TOKEN, Rotation, TokenSettings};
use berth_access::{Gatekeeper, GatekeeperParts, GatekeeperSettings, Secret, first_start, robot_secret};
use berth_cache::{Attempts, Cache};
use berth_config::{Config, ProjectCreation};
use berth_domain::{Clock, Entropy, user};
use berth_metadata::Metadata;

use crate::private_file;

/// In a data directory: the key that an embedded installation made itself.
pub(crate) const SECRET_KEY: &str = "secret_key";
/// Beside it while a rotation is under way: the key before it.
pub(crate) const EARLIER_KEY: &str = "secret_key.earlier";
/// In a data directory: the first administrator's password, if an embedded installation made it itself.
const ADMIN_PASSWORD: &str = "admin_password";

/// How many credentials, tokens, sessions and subjects are remembered, each.
const REMEMBERED: usize = 32 << 10;
/// How many log-ins may wait for a hash.
const WAITING: usize = 256;
/// How long a key is published before it signs; every replica reads the keys each minute.
const LEAD: std::time::Duration = std::time::Duration::from_mins(5);

/// What accounts stand on.
pub(crate) struct Ground {
    pub(crate) metadata: Arc<dyn Metadata>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) attempts: Arc<dyn Attempts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// A first password that this start made up.
#[derive(Clone, Debug)]
pub struct FirstPassword {
    /// The password of `admin`.
    pub password: Secret,
    /// The file that says it, too.
    pub file: PathBuf,
}

/// Opens the gatekeeper, and makes the first administrator if there is none.
pub(crate) async fn open(config: &Config, ground: Ground) -> Result<(Gatekeeper, Option<FirstPassword>)> {
    let Ground { metadata, cache, attempts, clock, entropy } = ground;
    // Before anything is sealed: a start that is refused for want of a password binds the database to no key.
    let first = first_administrator(config, metadata.as_ref(), entropy.as_ref()).await?;
    let seals = Arc::new(seals(config, entropy.as_ref())?);
    let parts = GatekeeperParts {
        metadata: Arc::clone(&metadata),
        cache,
        attempts,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        seals,
    };
    let gatekeeper = Gatekeeper::open(parts, settings(config)).await.context(
        "accounts cannot be opened: is access.secret_key the one that this database was first started with?",
    )?;
    let Some((password, file)) = first else { return Ok((gatekeeper, None)) };
    first_start::ensure_admin(metadata.as_ref(), &gatekeeper.passwords, clock.as_ref(), password.clone())
        .await
        .context("the first administrator cannot be made")?;
    Ok((gatekeeper, file.map(|file| FirstPassword { password, file })))
}

/// The seals of this installation: under the configured key, else under the one that it made itself.
pub(crate) fn seals(config: &Config, entropy: &dyn Entropy) -> Result<Seals> {
    let key = secret_key(config, entropy)?;
    let seals = seals_under(config, &key)?;
    if !config.access.secret_key.is_empty() {
        return Ok(seals);
    }
    // `berth secrets rotate` may put another key in the place of our own while we run.
    let config = config.clone();
    Ok(seals.read_again(move || {
        let key = private_file::read(&config.data.directory.join(SECRET_KEY)).ok()??;
        seals_under(&config, &Secret::new(key)).ok()
    }))
}

/// The seals of the keys that an installation made itself and that lie in this directory; none if it made none.
pub(crate) fn own_seals(directory: &Path) -> Result<Option<Seals>> {
    let Some(key) = private_file::read(&directory.join(SECRET_KEY))? else { return Ok(None) };
    let earlier = private_file::read(&directory.join(EARLIER_KEY))?;
    let seals = Seals::new(key.as_bytes(), earlier.iter().map(String::as_bytes));
    seals.map(Some).with_context(|| format!("{SECRET_KEY} in {} cannot be used", directory.display()))
}

/// The seals under this key and those before it.
fn seals_under(config: &Config, key: &Secret) -> Result<Seals> {
    let configured =
        Some(config.access.previous_secret_key.expose().to_owned()).filter(|key| !key.is_empty());
    let own = private_file::read(&config.data.directory.join(EARLIER_KEY))?;
    let previous = configured.iter().chain(&own).map(String::as_bytes);
    Seals::new(key.reveal().as_bytes(), previous).context("access.secret_key cannot be used")
}

/// Makes another key for an installation that makes its own; what is sealed under the one before still opens. Where it is.
pub(crate) fn replace_own_key(config: &Config, entropy: &dyn Entropy) -> Result<PathBuf> {
    let (file, earlier) = (config.data.directory.join(SECRET_KEY), config.data.directory.join(EARLIER_KEY));
    // With an earlier key a rotation was interrupted: its new key is there, and is the one to finish with.
    if private_file::read(&earlier)?.is_none() {
        let current = secret_key(config, entropy)?;
        private_file::write(&earlier, current.reveal())?;
        private_file::write(&file, robot_secret::generate(entropy).reveal())?;
    } else if private_file::read(&file)? == private_file::read(&earlier)? {
        private_file::write(&file, robot_secret::generate(entropy).reveal())?;
    }
    Ok(file)
}

/// Forgets the key before this one, when nothing is sealed under it any more.
pub(crate) fn forget_earlier_key(config: &Config) -> Result<()> {
    private_file::remove(&config.data.directory.join(EARLIER_KEY))
}

fn secret_key(config: &Config, entropy: &dyn Entropy) -> Result<Secret> {
    let configured = config.access.secret_key.expose();
    if !configured.is_empty() {
        return Ok(Secret::new(configured));
    }
    let file = config.data.directory.join(SECRET_KEY);
    if let Some(kept) = private_file::read(&file)? {
        return Ok(Secret::new(kept));
    }
    let made = robot_secret::generate(entropy);
    private_file::write(&file, made.reveal())?;
    Ok(made)
}

/// The [`first_password`] if there is no administrator yet.
async fn first_administrator(
    config: &Config,
    metadata: &dyn Metadata,
    entropy: &dyn Entropy,
) -> Result<Option<(Secret, Option<PathBuf>)>> {
    let needed = first_start::needs_admin(metadata).await?;
    needed.then(|| first_password(config, entropy)).transpose()
}

/// The first administrator's password that the configuration gives, if it gives one.
pub(crate) fn given_password(config: &Config) -> Result<Option<Secret>> {
    let given = config.access.admin_password.expose();
    if given.is_empty() {
        return Ok(None);
    }
    user::check_password(given).context("BERTH_ADMIN_PASSWORD cannot be used")?;
    Ok(Some(Secret::new(given)))
}

/// The password for the first administrator, and the file that it was written to if it was made up.
pub(crate) fn first_password(config: &Config, entropy: &dyn Entropy) -> Result<(Secret, Option<PathBuf>)> {
    if let Some(given) = given_password(config)? {
        return Ok((given, None));
    }
    if config.embedded_database().is_none() {
        bail!(
            "this database has no administrator yet: give the first password in BERTH_ADMIN_PASSWORD, or its file in BERTH_ADMIN_PASSWORD_FILE"
        );
    }
    let file = config.data.directory.join(ADMIN_PASSWORD);
    // A start before this one may have written it and then died.
    let password = match private_file::read(&file)? {
        Some(kept) => Secret::new(kept),
        None => made(&file, entropy)?,
    };
    Ok((password, Some(file)))
}

fn made(file: &Path, entropy: &dyn Entropy) -> Result<Secret> {
    let password = robot_secret::generate(entropy);
    private_file::write(file, password.reveal())?;
    Ok(password)
}

/// How passwords are hashed by this configuration.
pub(crate) fn passwords(config: &Config) -> PasswordSettings {
    let access = &config.access;
    PasswordSettings {
        memory_kib: u32::try_from(access.password_memory.bytes() >> 10).unwrap_or(u32::MAX),
        iterations: access.password_iterations,
        parallelism: 1,
        at_once: access.password_hashes as usize,
        waiting: WAITING,
    }
}

/// When this configuration's keys are replaced.
pub(crate) fn rotation(config: &Config) -> Rotation {
    Rotation { period: config.tokens.rotate_every, lead: LEAD, token_lifetime: config.tokens.lifetime }
}

/// What tokens say by this configuration.
pub(crate) fn tokens(config: &Config) -> TokenSettings {
    let tokens = &config.tokens;
    TokenSettings {
        issuer: "berth".to_owned(),
        service: tokens.service.clone(),
        lifetime: tokens.lifetime,
        remembered: REMEMBERED,
        longest: longest_token(config),
    }
}

/// What a token may take of a request's header: three quarters. The first line and the other fields need the rest.
fn longest_token(config: &Config) -> usize {
    let header = usize::try_from(config.server.header_limit.bytes()).unwrap_or(usize::MAX);
    (header / 4 * 3).min(LONGEST_TOKEN)
}

fn settings(config: &Config) -> GatekeeperSettings {
    let access = &config.access;
    GatekeeperSettings {
        tokens: tokens(config),
        rotation: rotation(config),
        authority: AuthoritySettings {
            rules: SystemRules {
                users_create_projects: config.projects.creation == ProjectCreation::Everyone,
            },
            create_on_push: config.projects.create_on_push,
            remembered: REMEMBERED,
        },
        passwords: passwords(config),
        brute_force: BruteForceSettings {
            first_delay: access.login_delay,
            longest_delay: access.longest_login_delay,
            ..BruteForceSettings::default()
        },
        authenticator: AuthenticatorSettings {
            robot_prefix: config.robots.prefix.clone(),
            session_lifetime: access.session_lifetime,
            remembered: REMEMBERED,
        },
    }
}
