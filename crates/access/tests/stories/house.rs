//! The house that the stories play in: one database, a clock that stands, and replicas on it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use berth_access::authenticator::{
    Authenticator, AuthenticatorParts, AuthenticatorSettings, Credentials, Purpose,
};
use berth_access::authority::{Authority, AuthoritySettings};
use berth_access::brute_force::{BruteForce, BruteForceSettings};
use berth_access::keyring::{Keyring, KeyringParts};
use berth_access::password::{PasswordSettings, Passwords};
use berth_access::robot_secret::{self, SecretKey};
use berth_access::scope::{ResourceActions, parse_scopes};
use berth_access::seal::Seals;
use berth_access::token::{LONGEST_TOKEN, Rotation, TokenSettings};
use berth_access::token_service::TokenService;
use berth_access::{Access, Caller, Denied, LoginError, Secret, first_start};
use berth_cache::{Attempts, Cache, Failures};
use berth_cache_memory::{Lifetimes, MemoryCache};
use berth_domain::{
    Action, Actor, Clock, MemberEntity, PermissionSet, ProjectId, Resource, RobotGrant, RobotId, RobotLevel,
    RobotScope, RoleId, SystemEntropy, Timestamp, UserId,
};
use berth_metadata::robot::NewRobot;
use berth_metadata::user::{Added, NewUser};
use berth_metadata::{Metadata, Transaction};
use berth_metadata_sql::SqlMetadata;
use berth_oci::RepositoryName;
use berth_testkit::TestClock;
use bytes::Bytes;
use tempfile::TempDir;

pub(crate) const SECRET_KEY: &[u8] = b"the configuration's secret key";
pub(crate) const PASSWORD: &str = "Passw0rd of a user";
/// How many log-ins may wait for a hash.
pub(crate) const WAITING: usize = 16;
pub(crate) const ROTATION: Rotation = Rotation {
    period: Duration::from_hours(24),
    lead: Duration::from_mins(5),
    token_lifetime: Duration::from_mins(30),
};

/// Where everything is kept, and the time.
pub(crate) struct House {
    directory: TempDir,
    pub(crate) clock: Arc<TestClock>,
    attempts: Arc<CountedAttempts>,
}

/// One process on it.
pub(crate) struct Replica {
    pub(crate) sql: SqlMetadata,
    pub(crate) metadata: Arc<dyn Metadata>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) authenticator: Authenticator,
    pub(crate) service: TokenService,
    pub(crate) access: Access,
    pub(crate) brute_force: BruteForce,
    pub(crate) passwords: Passwords,
    pub(crate) secret_key: SecretKey,
}

impl House {
    pub(crate) fn new() -> Self {
        let clock = TestClock::new();
        let attempts =
            Arc::new(CountedAttempts { clock: Arc::<TestClock>::clone(&clock), counts: Mutex::default() });
        Self { directory: tempfile::tempdir().expect("the house works"), clock, attempts }
    }

    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(Seals::new(SECRET_KEY, []).expect("the house works")).await
    }

    /// Another one with the same cache: what is told to one of them reaches the other.
    pub(crate) async fn replica_beside(&self, other: &Replica) -> Replica {
        let seals = Seals::new(SECRET_KEY, []).expect("the house works");
        self.replica_on(Arc::clone(&other.cache), seals).await
    }

    pub(crate) async fn replica_with(&self, seals: Seals) -> Replica {
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.clock);
        let cache = MemoryCache::new(1 << 20, Lifetimes::default(), clock);
        self.replica_on(Arc::new(cache), seals).await
    }

    async fn replica_on(&self, cache: Arc<dyn Cache>, seals: Seals) -> Replica {
        let sql =
            SqlMetadata::open_sqlite(&self.directory.path().join("berth.db")).await.expect("the house works");
        let metadata: Arc<dyn Metadata> = Arc::new(sql.clone());
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.clock);
        let entropy = Arc::new(SystemEntropy);
        let parts = KeyringParts {
            metadata: Arc::clone(&metadata),
            clock: Arc::clone(&clock),
            entropy: Arc::<SystemEntropy>::clone(&entropy),
            seals: Arc::new(seals),
        };
        let tokens = TokenSettings {
            issuer: "berth".to_owned(),
            service: "harbor-registry".to_owned(),
            lifetime: ROTATION.token_lifetime,
            remembered: 64,
            longest: LONGEST_TOKEN,
        };
        let keyring = Arc::new(Keyring::open(parts, tokens, ROTATION).await.expect("the house works"));
        let settings = AuthoritySettings { remembered: 1024, ..AuthoritySettings::default() };
        let authority =
            Authority::new(Arc::clone(&metadata), Arc::clone(&cache), Arc::clone(&clock), settings);
        let authority = Arc::new(authority);
        let cheap =
            PasswordSettings { memory_kib: 8, iterations: 1, parallelism: 1, at_once: 2, waiting: WAITING };
        let passwords =
            Passwords::new(cheap, Arc::<SystemEntropy>::clone(&entropy)).expect("the house works");
        let secret_key = keyring.secret_key().await.expect("the house works");
        let attempts = Arc::<CountedAttempts>::clone(&self.attempts);
        let brute_force = BruteForce::new(attempts, BruteForceSettings::default());
        let authenticator = Authenticator::new(
            AuthenticatorParts {
                metadata: Arc::clone(&metadata),
                authority: Arc::clone(&authority),
                passwords: passwords.clone(),
                secret_key: secret_key.clone(),
                keyring: Arc::clone(&keyring),
                brute_force: brute_force.clone(),
                clock: Arc::clone(&clock),
                entropy: Arc::<SystemEntropy>::clone(&entropy),
            },
            AuthenticatorSettings { remembered: 1024, ..AuthenticatorSettings::default() },
        );
        let service = TokenService {
            metadata: Arc::clone(&metadata),
            authority: Arc::clone(&authority),
            keyring: Arc::clone(&keyring),
            clock,
            entropy,
        };
        let access = Access::closed(Arc::clone(&authority));
        let clock = Arc::<TestClock>::clone(&self.clock);
        Replica {
            sql,
            metadata,
            cache,
            clock,
            authority,
            keyring,
            authenticator,
            service,
            access,
            brute_force,
            passwords,
            secret_key,
        }
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}

impl Replica {
    /// One change in a transaction of its own.
    pub(crate) async fn begin(&self) -> Box<dyn Transaction> {
        self.metadata.begin().await.expect("the house works")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn admin(&self) {
        first_start::ensure_roles(self.metadata.as_ref()).await.expect("the house works");
        let password = Secret::new(PASSWORD);
        let made =
            first_start::ensure_admin(self.metadata.as_ref(), &self.passwords, self.clock.as_ref(), password);
        assert!(made.await.expect("the house works"));
    }

    pub(crate) async fn user(&self, name: &str) -> UserId {
        let stored = self.passwords.hash(Secret::new(PASSWORD)).await.expect("the house works");
        let user = NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.org"),
            realname: name.to_owned(),
            comment: String::new(),
            sysadmin: false,
            password: Some(stored.as_str().to_owned()),
        };
        let mut tx = self.begin().await;
        let Added::Added(id) = tx.add_user(&user, self.now()).await.expect("the house works") else {
            panic!("{name} exists")
        };
        tx.commit().await.expect("the house works");
        id
    }

    pub(crate) async fn set_password(&self, user: UserId, password: &str) {
        let stored = self.passwords.hash(Secret::new(password)).await.expect("the house works");
        let mut tx = self.begin().await;
        assert!(tx.set_user_password(user, stored.as_str(), self.now()).await.expect("the house works"));
        tx.commit().await.expect("the house works");
    }

    pub(crate) async fn project(&self, name: &str, public: bool) -> ProjectId {
        let name = name.parse().expect("the house works");
        let mut tx = self.begin().await;
        let added = tx.add_project(&name, public, UserId::ADMIN, None, &Actor::system(), self.now()).await;
        let Added::Added(id) = added.expect("the house works") else { panic!("{name} exists") };
        tx.commit().await.expect("the house works");
        id
    }

    pub(crate) async fn member(&self, project: ProjectId, entity: MemberEntity, role: RoleId) {
        let mut tx = self.begin().await;
        let added = tx.add_member(project, entity, role, self.now()).await.expect("the house works");
        assert!(matches!(added, Added::Added(_)));
        tx.commit().await.expect("the house works");
    }

    /// The administrator, and Jane, who develops in the private project `team`.
    pub(crate) async fn jane_of_team(&self) -> (UserId, ProjectId) {
        self.admin().await;
        let (jane, project) = (self.user("jane").await, self.project("team", false).await);
        self.member(project, MemberEntity::User(jane), RoleId::DEVELOPER).await;
        (jane, project)
    }

    /// A robot of the project that may do these things to repositories, and its generated secret.
    pub(crate) async fn robot(
        &self,
        project: ProjectId,
        name: &str,
        actions: &[Action],
    ) -> (RobotId, Secret) {
        let secret = robot_secret::generate(&SystemEntropy);
        let stored = self.secret_key.keep(&secret);
        (self.robot_with(project, name, actions, stored).await, secret)
    }

    pub(crate) async fn robot_with(
        &self,
        project: ProjectId,
        name: &str,
        actions: &[Action],
        secret: String,
    ) -> RobotId {
        let robot = NewRobot {
            name: name.to_owned(),
            level: RobotLevel::Project(project),
            description: String::new(),
            duration: Some(30),
            disabled: false,
            grants: vec![RobotGrant {
                scope: RobotScope::Project(project),
                access: PermissionSet::on_one(Resource::Repository, actions),
            }],
            secret,
            creator: Actor::system(),
        };
        let mut tx = self.begin().await;
        let Added::Added(id) = tx.add_robot(&robot, self.now()).await.expect("the house works") else {
            panic!("{name} exists")
        };
        tx.commit().await.expect("the house works");
        id
    }

    pub(crate) async fn log_in(&self, login: &str, secret: &str) -> Result<Caller, LoginError> {
        self.log_in_from(login, secret, Purpose::Registry, None).await
    }

    pub(crate) async fn log_in_from(
        &self,
        login: &str,
        secret: &str,
        purpose: Purpose,
        address: Option<IpAddr>,
    ) -> Result<Caller, LoginError> {
        let secret = Secret::new(secret);
        let shown = Credentials { login, secret: &secret, purpose, address, request_id: "request" };
        self.authenticator.basic(&shown).await
    }

    /// Asks for a token and comes back with it.
    pub(crate) async fn with_token(&self, caller: &Caller, scope: &str) -> Caller {
        let granted = self.service.issue(caller, &scopes(scope)).await.expect("the house works");
        self.bearer(granted.token.token.reveal()).await.expect("the house works")
    }

    pub(crate) async fn bearer(&self, token: &str) -> Result<Caller, LoginError> {
        self.authenticator.bearer(token, None, "request".to_owned()).await
    }

    pub(crate) async fn may(&self, caller: &Caller, repository: &str, action: Action) -> Result<(), Denied> {
        let name: RepositoryName = repository.parse().expect("the house works");
        self.access.check_repository(caller, &name, Resource::Repository, action).await
    }
}

pub(crate) fn anonymous() -> Caller {
    Caller::anonymous(None, "request".to_owned())
}

pub(crate) fn scopes(text: &str) -> Vec<ResourceActions> {
    parse_scopes([text]).expect("the house works")
}

/// Counts failures in a map.
#[derive(Debug)]
struct CountedAttempts {
    clock: Arc<TestClock>,
    counts: Mutex<HashMap<Bytes, (u32, Timestamp)>>,
}

#[async_trait]
impl Attempts for CountedAttempts {
    async fn failures(&self, name: &Bytes) -> Failures {
        let counts = self.counts.lock().expect("the house works");
        let Some(&(count, last)) = counts.get(name) else { return Failures::default() };
        Failures { count, since_last: self.clock.now().since(last) }
    }

    async fn fail(&self, name: Bytes, _window: Duration) -> Failures {
        let mut counts = self.counts.lock().expect("the house works");
        let kept = counts.entry(name).or_insert((0, self.clock.now()));
        *kept = (kept.0 + 1, self.clock.now());
        Failures { count: kept.0, since_last: Duration::ZERO }
    }

    async fn take_back(&self, name: &Bytes) {
        if let Some((count, _)) = self.counts.lock().expect("the house works").get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }

    async fn forget(&self, name: &Bytes) {
        self.counts.lock().expect("the house works").remove(name);
    }
}
