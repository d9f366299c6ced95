//! The house that the stories play in: one database, a clock that stands, one process.

use std::sync::Arc;
use std::time::Duration;

use berth_access::authenticator::{
    Authenticator, AuthenticatorParts, AuthenticatorSettings, Credentials, Purpose,
};
use berth_access::authority::{Authority, AuthoritySettings};
use berth_access::brute_force::{BruteForce, BruteForceSettings};
use berth_access::keyring::{Keyring, KeyringParts};
use berth_access::password::{PasswordSettings, Passwords};
use berth_access::permissions::SystemRules;
use berth_access::seal::Seals;
use berth_access::token::{LONGEST_TOKEN, Rotation, TokenSettings};
use berth_access::{Access, Caller, LoginError, Secret, first_start};
use berth_blobs::BufferPool;
use berth_blobs_filesystem::{FilesystemBlobs, LocalFileSystem, Options};
use berth_cache::Cache;
use berth_cache_memory::{Lifetimes, MemoryAttempts, MemoryCache};
use berth_domain::{Clock, MemberId, ProjectId, SystemEntropy, UserId};
use berth_management::{
    Error, Management, ManagementSettings, NewMember, NewProject, NewUser, Parts, ProjectRef, Result,
    RobotPermission, WantedRobot, Window,
};
use berth_metadata::Metadata;
use berth_metadata_sql::SqlMetadata;
use berth_testkit::TestClock;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "Passw0rd of a user";

pub(crate) struct House {
    pub(crate) management: Management,
    pub(crate) metadata: Arc<dyn Metadata>,
    /// What the registry would remember in.
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) authenticator: Authenticator,
    /// What another replica decides that the same cache reaches.
    pub(crate) elsewhere: Access,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) admin: Caller,
    pub(crate) nobody: Caller,
    directory: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(ManagementSettings::default(), true).await
    }

    pub(crate) async fn with(settings: ManagementSettings, users_create_projects: bool) -> Self {
        let directory = tempfile::tempdir().expect("the house works");
        let sql = Box::pin(SqlMetadata::open_sqlite(&directory.path().join("berth.db")))
            .await
            .expect("the house works");
        let metadata: Arc<dyn Metadata> = Arc::new(sql);
        let clock = TestClock::new();
        let now = || Arc::clone(&clock) as Arc<dyn Clock>;
        let entropy = Arc::new(SystemEntropy);
        let rules = SystemRules { users_create_projects };
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(1 << 20, Lifetimes::default(), now()));
        let authority = || {
            let settings = AuthoritySettings { rules, remembered: 1024, ..AuthoritySettings::default() };
            Arc::new(Authority::new(Arc::clone(&metadata), Arc::clone(&cache), now(), settings))
        };
        let elsewhere = Access::closed(authority());
        let authority = authority();
        let cheap = PasswordSettings { memory_kib: 8, iterations: 1, ..PasswordSettings::default() };
        let passwords =
            Passwords::new(cheap, Arc::<SystemEntropy>::clone(&entropy)).expect("the house works");
        let keyring = Arc::new(keyring(&metadata, now()).await);
        let secret_key = keyring.secret_key().await.expect("the house works");
        let attempts = Arc::new(MemoryAttempts::new(now(), 1024));
        let brute_force = BruteForce::new(attempts, BruteForceSettings::default());
        let authenticator = Authenticator::new(
            AuthenticatorParts {
                metadata: Arc::clone(&metadata),
                authority: Arc::clone(&authority),
                passwords: passwords.clone(),
                secret_key: secret_key.clone(),
                keyring,
                brute_force: brute_force.clone(),
                clock: now(),
                entropy: Arc::<SystemEntropy>::clone(&entropy),
            },
            AuthenticatorSettings { remembered: 1024, ..AuthenticatorSettings::default() },
        );
        first_start::ensure_roles(metadata.as_ref()).await.expect("the house works");
        let password = Secret::new(PASSWORD);
        let made =
            Box::pin(first_start::ensure_admin(metadata.as_ref(), &passwords, clock.as_ref(), password))
                .await;
        assert!(made.expect("the house works"));
        let blobs = FilesystemBlobs::open(
            &directory.path().join("blobs"),
            Arc::<SystemEntropy>::clone(&entropy),
            BufferPool::new(1 << 20),
            Arc::new(LocalFileSystem),
            Options::default(),
        );
        let parts = Parts {
            metadata: Arc::clone(&metadata),
            blobs: Arc::new(blobs.expect("the house works")),
            cache: Arc::clone(&cache),
            authority,
            passwords,
            secret_key,
            brute_force,
            clock: now(),
            entropy,
        };
        let management = Management::open(parts, settings);
        let admin = Box::pin(log_in(&authenticator, "admin", PASSWORD)).await.expect("the house works");
        let nobody = anonymous();
        Self { management, metadata, cache, authenticator, elsewhere, clock, admin, nobody, directory }
    }

    /// From now on nothing can be stored.
    pub(crate) fn lose_storage(&self) {
        std::fs::remove_dir_all(self.directory.path().join("blobs")).expect("the house works");
    }

    pub(crate) async fn log_in(&self, login: &str, secret: &str) -> Result<Caller, LoginError> {
        log_in(&self.authenticator, login, secret).await
    }

    /// Makes a user and logs in as them.
    pub(crate) async fn user(&self, name: &str) -> (UserId, Caller) {
        let id = self.management.as_caller(&self.admin).create_user(new_user(name)).await;
        let caller = self.log_in(name, PASSWORD).await.expect("the house works");
        (id.expect("the house works"), caller)
    }

    pub(crate) async fn project(&self, name: &str, public: bool) -> ProjectId {
        let wanted = NewProject {
            name: name.to_owned(),
            metadata: vec![("public".to_owned(), public.to_string())],
            storage_limit: None,
        };
        self.management.as_caller(&self.admin).create_project(&wanted).await.expect("the house works")
    }

    pub(crate) async fn member(&self, project: &str, user: UserId, role: i64) -> MemberId {
        let wanted = NewMember { role, user_id: Some(user.0), ..NewMember::default() };
        let added = self.management.as_caller(&self.admin).add_member(&named(project), &wanted).await;
        added.expect("the house works")
    }

    /// Makes a robot of a project and logs in as it.
    pub(crate) async fn robot(&self, project: &str, name: &str, access: &[(&str, &str)]) -> Caller {
        let wanted = robot(project, name, access);
        let made = self.management.as_caller(&self.admin).create_robot(&wanted).await;
        let made = made.expect("the house works");
        self.log_in(&made.page.name, made.secret.reveal()).await.expect("the house works")
    }
}

async fn keyring(metadata: &Arc<dyn Metadata>, clock: Arc<dyn Clock>) -> Keyring {
    let parts = KeyringParts {
        metadata: Arc::clone(metadata),
        clock,
        entropy: Arc::new(SystemEntropy),
        seals: Arc::new(Seals::new(b"the configuration's secret key", []).expect("the house works")),
    };
    let lifetime = Duration::from_mins(30);
    let tokens = TokenSettings {
        issuer: "berth".to_owned(),
        service: "harbor-registry".to_owned(),
        lifetime,
        remembered: 64,
        longest: LONGEST_TOKEN,
    };
    let period = Duration::from_hours(24);
    let rotation = Rotation { period, lead: Duration::from_mins(5), token_lifetime: lifetime };
    Keyring::open(parts, tokens, rotation).await.expect("the house works")
}

async fn log_in(authenticator: &Authenticator, login: &str, secret: &str) -> Result<Caller, LoginError> {
    let secret = Secret::new(secret);
    let (purpose, address, request_id) = (Purpose::Registry, None, "request");
    authenticator.basic(&Credentials { login, secret: &secret, purpose, address, request_id }).await
}

pub(crate) fn anonymous() -> Caller {
    Caller::anonymous(None, "request".to_owned())
}

pub(crate) fn named(project: &str) -> ProjectRef {
    ProjectRef::parse(project, false)
}

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        realname: name.to_owned(),
        comment: String::new(),
        password: Secret::new(PASSWORD),
    }
}

pub(crate) fn robot(project: &str, name: &str, access: &[(&str, &str)]) -> WantedRobot {
    WantedRobot {
        name: name.to_owned(),
        level: "project".to_owned(),
        permissions: vec![permission("project", project, access)],
        ..WantedRobot::default()
    }
}

pub(crate) fn permission(kind: &str, namespace: &str, access: &[(&str, &str)]) -> RobotPermission {
    let access = access.iter().map(|(on, what)| ((*on).to_owned(), (*what).to_owned())).collect();
    RobotPermission { kind: kind.to_owned(), namespace: namespace.to_owned(), access }
}

pub(crate) fn first<O: Default>(limit: u32) -> Window<O> {
    Window { order: O::default(), descending: false, offset: 0, limit }
}

/// What a refusal is, in one word.
pub(crate) fn word<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(Error::Denied(denied)) if denied.anonymous => "log in",
        Err(Error::Denied(_)) => "denied",
        Err(Error::Forbidden(_)) => "forbidden",
        Err(Error::Exceeds) => "exceeds",
        Err(Error::NotFound { .. }) => "not found",
        Err(Error::Exists { .. }) => "exists",
        Err(Error::Invalid(_)) => "invalid",
        Err(Error::Precondition(_)) => "precondition",
        Err(Error::Often { .. }) => "too often",
        Err(Error::LogIn(_) | Error::Database(_)) => "failed",
    }
}

impl House {
    /// Makes a user as somebody else than `admin`.
    pub(crate) async fn user_by(&self, maker: &Caller, name: &str) -> (UserId, Caller) {
        let id = self.management.as_caller(maker).create_user(new_user(name)).await;
        let caller = self.log_in(name, PASSWORD).await.expect("the house works");
        (id.expect("the house works"), caller)
    }
}
