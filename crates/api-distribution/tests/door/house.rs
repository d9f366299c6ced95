//! A registry in a temporary directory, and how it is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_access::authenticator::AuthenticatorSettings;
use berth_access::authority::AuthoritySettings;
use berth_access::brute_force::BruteForceSettings;
use berth_access::password::PasswordSettings;
use berth_access::seal::Seals;
use berth_access::token::{Rotation, TokenSettings};
use berth_access::{Gatekeeper, GatekeeperParts, GatekeeperSettings, Secret, first_start, robot_secret};
use berth_api_distribution::{DistributionSettings, Door};
use berth_blobs::BufferPool;
use berth_blobs_filesystem::{FilesystemBlobs, LocalFileSystem, Options};
use berth_cache_memory::{Lifetimes, MemoryAttempts, MemoryCache};
use berth_domain::{
    Action, Actor, Clock, Entropy, MemberEntity, PermissionSet, ProjectId, Resource, RobotGrant, RobotLevel,
    RobotScope, RoleId, SystemClock, SystemEntropy, UserId,
};
use berth_http::{ConnectionInfo, Origin, RequestIdLayer, RequestIds, RouteName, Scheme};
use berth_metadata::Metadata;
use berth_metadata::robot::NewRobot;
use berth_metadata::user::{Added, NewUser};
use berth_metadata_sql::SqlMetadata;
use berth_oci::Digest;
use berth_registry::{MissingContent, Ports, Registry, Settings};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};

use crate::asked::Asked;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// How long a body may stand still where a test wants nothing else.
pub(crate) const IDLE: Duration = Duration::from_millis(200);

/// How long somebody waits for room in these tests.
pub(crate) const ROOM_TIMEOUT: Duration = Duration::from_millis(200);

/// What a test may want otherwise.
pub(crate) struct Wishes {
    pub(crate) missing_content: MissingContent,
    pub(crate) manifest_limit: usize,
    pub(crate) concurrent_uploads: usize,
    /// How long a body may stand still.
    pub(crate) body_timeout: Duration,
    /// Whether requests come over plain HTTP/1.1, where blobs leave by another way.
    pub(crate) plain: bool,
    /// Whether a push makes its project.
    pub(crate) create_on_push: bool,
    /// By what the gatekeeper tells the time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            missing_content: MissingContent::Children,
            manifest_limit: 64 << 10,
            concurrent_uploads: 100,
            body_timeout: IDLE,
            plain: false,
            create_on_push: true,
            clock: Arc::new(SystemClock),
        }
    }
}

/// The registry and its door.
pub(crate) struct House {
    door: Door,
    pub(crate) registry: Registry,
    /// What large pages of lists may take.
    pub(crate) lists: BufferPool,
    ids: RequestIdLayer,
    plain: bool,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) metadata: Arc<dyn Metadata>,
    /// The same, to be closed, and to be asked how often it was asked.
    pub(crate) database: Asked,
    /// Where the bytes of blobs are.
    pub(crate) directory: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The bytes, or what broke off.
    pub(crate) body: Result<Bytes, String>,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(Wishes::default()).await
    }

    pub(crate) async fn with(wishes: Wishes) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let buffers = BufferPool::new(64 << 20);
        let lists = BufferPool::new(4 << 20);
        let database = SqlMetadata::open_sqlite(&directory.path().join("berth.db")).await;
        let database = Asked::of(database.expect("a database"));
        let metadata: Arc<dyn Metadata> = Arc::new(database.clone());
        let gatekeeper = gatekeeper(&metadata, wishes.clock, wishes.create_on_push).await;
        let blobs = FilesystemBlobs::open(
            &directory.path().join("blobs"),
            Arc::clone(&entropy),
            buffers.clone(),
            Arc::new(LocalFileSystem),
            Options::default(),
        );
        let settings = Settings {
            missing_content: wishes.missing_content,
            manifest_limit: wishes.manifest_limit,
            inline_limit: 64,
            upload_expiry: Duration::from_hours(1),
            takeover_after: Duration::from_secs(30),
            checkpoint_every: 64 << 20,
            history_age: Duration::from_hours(1),
            room_timeout: ROOM_TIMEOUT,
            process: entropy.uuid(),
            alone: true,
        };
        let ports = Ports {
            metadata: Arc::clone(&metadata),
            blobs: Arc::new(blobs.expect("storage")),
            cache: Arc::new(MemoryCache::new(16 << 20, Lifetimes::default(), Arc::new(SystemClock))),
            clock: Arc::new(SystemClock),
            entropy,
            manifests: BufferPool::new(4 << 20),
            lists: lists.clone(),
            incoming: buffers,
            access: gatekeeper.access(),
        };
        let registry = Registry::open(ports, settings).await.expect("a registry");
        let settings = DistributionSettings {
            manifest_limit: wishes.manifest_limit,
            body_timeout: wishes.body_timeout,
            concurrent_uploads: wishes.concurrent_uploads,
        };
        let ids = RequestIdLayer::new(RequestIds::new(1));
        let forms = BufferPool::new(1 << 20);
        let door = Door::new(registry.entrance(), gatekeeper.gate(), forms, settings);
        Self { door, registry, lists, ids, plain: wishes.plain, gatekeeper, metadata, database, directory }
    }

    /// Asks as the administrator, and checks what holds of every answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let admin = basic(first_start::ADMIN, PASSWORD);
        self.ask_as(&admin, method, path, headers, body).await
    }

    /// Asks with an `Authorization` header; with none if it is empty.
    pub(crate) async fn ask_as(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let answer = self.begin(authorization, method, path, headers, body.into()).await;
        let (parts, body) = answer.into_parts();
        assert!(parts.extensions.get::<RouteName>().is_some(), "metrics need a name");
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.map_err(|e| e.to_string()),
        };
        answer.check(&Method::try_from(method).expect("a method"));
        answer
    }

    /// Asks for a path as the administrator, and takes nothing of the answer's body yet.
    pub(crate) async fn begin_get(&self, path: &str) -> Response {
        self.begin(&basic(first_start::ADMIN, PASSWORD), "GET", path, &[], Body::empty()).await
    }

    async fn begin(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).expect("a request");
        let host = "registry.example.org".to_owned();
        request.extensions_mut().insert(Origin { scheme: Scheme::Https, host, address: None });
        if self.plain {
            let peer = ([127, 0, 0, 1], 1).into();
            request.extensions_mut().insert(ConnectionInfo { peer, tls: false });
        }
        let door = self.door.clone();
        let service = self
            .ids
            .layer(service_fn(async |request| Ok::<_, std::convert::Infallible>(door.answer(request).await)));
        let Ok(answer) = service.oneshot(request).await;
        answer
    }

    /// Makes an account. Its number.
    pub(crate) async fn user(&self, name: &str) -> UserId {
        let stored = self.gatekeeper.passwords.hash(Secret::new(PASSWORD)).await.expect("a hash");
        let user = NewUser {
            username: name.to_owned(),
            email: String::new(),
            realname: name.to_owned(),
            comment: String::new(),
            sysadmin: false,
            password: Some(stored.as_str().to_owned()),
        };
        let mut tx = self.metadata.begin().await.expect("a transaction");
        let Added::Added(id) = tx.add_user(&user, SystemClock.now()).await.expect("an account") else {
            panic!("{name} exists")
        };
        tx.commit().await.expect("a commit");
        id
    }

    /// Makes a project of the administrator's.
    pub(crate) async fn project(&self, name: &str, public: bool) -> ProjectId {
        let (name, owner, by) = (name.parse().expect("a name"), UserId::ADMIN, Actor::system());
        let mut tx = self.metadata.begin().await.expect("a transaction");
        let added = tx.add_project(&name, public, owner, None, &by, SystemClock.now()).await;
        let Added::Added(id) = added.expect("a project") else { panic!("{name} exists") };
        tx.commit().await.expect("a commit");
        id
    }

    /// Gives a user a role in a project.
    pub(crate) async fn member(&self, project: ProjectId, user: UserId, role: RoleId) {
        let mut tx = self.metadata.begin().await.expect("a transaction");
        let added = tx.add_member(project, MemberEntity::User(user), role, SystemClock.now()).await;
        assert!(matches!(added.expect("a member"), Added::Added(_)));
        tx.commit().await.expect("a commit");
    }

    /// Makes a robot of a project that may pull and lives so many days. The header that shows its secret.
    pub(crate) async fn robot(&self, project: (&str, ProjectId), name: &str, days: u32) -> String {
        let grant = RobotGrant {
            scope: RobotScope::Project(project.1),
            access: PermissionSet::on_one(Resource::Repository, &[Action::Pull]),
        };
        let secret = self.add_robot(RobotLevel::Project(project.1), name, Some(days), grant).await;
        basic(&format!("robot${}+{name}", project.0), secret.reveal())
    }

    /// Makes a robot of the installation. The header that shows its secret.
    pub(crate) async fn system_robot(&self, name: &str, grant: RobotGrant) -> String {
        let secret = self.add_robot(RobotLevel::System, name, None, grant).await;
        basic(&format!("robot${name}"), secret.reveal())
    }

    async fn add_robot(
        &self,
        level: RobotLevel,
        name: &str,
        duration: Option<u32>,
        grant: RobotGrant,
    ) -> Secret {
        let secret = robot_secret::generate(&SystemEntropy);
        let robot = NewRobot {
            name: name.to_owned(),
            level,
            description: String::new(),
            duration,
            disabled: false,
            grants: vec![grant],
            secret: self.gatekeeper.secret_key.keep(&secret),
            creator: Actor::system(),
        };
        let mut tx = self.metadata.begin().await.expect("a transaction");
        let added = tx.add_robot(&robot, SystemClock.now()).await.expect("a robot");
        assert!(matches!(added, Added::Added(_)));
        tx.commit().await.expect("a commit");
        secret
    }

    /// A token for scopes, got with an `Authorization` header; with none if it is empty.
    pub(crate) async fn token(&self, authorization: &str, scopes: &[&str]) -> String {
        let mut path = "/service/token?service=harbor-registry".to_owned();
        for scope in scopes {
            path.push_str("&scope=");
            path.push_str(scope);
        }
        let answer = self.ask_as(authorization, "GET", &path, &[], Body::empty()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        format!("Bearer {}", answer.json()["token"].as_str().expect("a token"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], Body::empty()).await
    }

    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.ask("HEAD", path, &[], Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], Body::empty()).await
    }

    /// Pushes a blob with one request.
    pub(crate) async fn push_blob(&self, repository: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = self.ask("POST", &path, &[], Body::from(content.to_vec())).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        digest
    }

    /// Starts an upload; its location.
    pub(crate) async fn start(&self, repository: &str) -> String {
        let answer = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], Body::empty()).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Puts a manifest under a tag or digest.
    pub(crate) async fn put_manifest(&self, repository: &str, reference: &str, content: &str) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.ask("PUT", &path, &[("content-type", OCI_MANIFEST)], content.to_owned()).await
    }

    /// Pushes an image of one config and one layer whose content is `seed`, and tags it. Its manifest.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str, seed: &str) -> String {
        let manifest = image(&[&self.config(repository).await, &self.layer(repository, seed).await], None);
        let answer = self.put_manifest(repository, tag, &manifest).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        manifest
    }

    pub(crate) async fn config(&self, repository: &str) -> Value {
        let digest = self.push_blob(repository, b"{}").await;
        json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2 })
    }

    pub(crate) async fn layer(&self, repository: &str, content: &str) -> Value {
        let digest = self.push_blob(repository, content.as_bytes()).await;
        let media_type = "application/vnd.oci.image.layer.v1.tar";
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }
}

/// The password of every account.
pub(crate) const PASSWORD: &str = "Passw0rd of everyone";

/// The header that shows a name and the password.
pub(crate) fn basic(login: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{secret}")))
}

/// A gatekeeper with cheap passwords, and the administrator's account.
async fn gatekeeper(metadata: &Arc<dyn Metadata>, clock: Arc<dyn Clock>, create_on_push: bool) -> Gatekeeper {
    let parts = GatekeeperParts {
        metadata: Arc::clone(metadata),
        cache: Arc::new(MemoryCache::new(1 << 20, Lifetimes::default(), Arc::clone(&clock))),
        attempts: Arc::new(MemoryAttempts::new(Arc::clone(&clock), 1024)),
        clock,
        entropy: Arc::new(SystemEntropy),
        seals: Arc::new(Seals::new(b"a key of sixteen bytes", []).expect("seals")),
    };
    let lifetime = Duration::from_mins(30);
    let settings = GatekeeperSettings {
        tokens: TokenSettings {
            issuer: "berth".to_owned(),
            service: "harbor-registry".to_owned(),
            lifetime,
            remembered: 64,
            longest: 12 << 10,
        },
        rotation: Rotation {
            period: Duration::from_hours(24),
            lead: Duration::from_mins(5),
            token_lifetime: lifetime,
        },
        authority: AuthoritySettings { create_on_push, ..AuthoritySettings::default() },
        passwords: PasswordSettings { memory_kib: 8, iterations: 1, ..PasswordSettings::default() },
        brute_force: BruteForceSettings::default(),
        authenticator: AuthenticatorSettings::default(),
    };
    let gatekeeper = Gatekeeper::open(parts, settings).await.expect("a gatekeeper");
    let (passwords, password) = (&gatekeeper.passwords, Secret::new(PASSWORD));
    first_start::ensure_admin(metadata.as_ref(), passwords, &SystemClock, password).await.expect("admin");
    gatekeeper
}

/// An image manifest of a config and layers, about `subject` if there is one.
pub(crate) fn image(parts: &[&Value], subject: Option<&Value>) -> String {
    let mut manifest =
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": parts[0], "layers": parts[1..] });
    if let Some(subject) = subject {
        manifest["subject"] = subject.clone();
    }
    manifest.to_string()
}

/// A path with one more parameter.
pub(crate) fn with(location: &str, parameter: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}{parameter}")
}

impl Answer {
    /// A header that must be there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{name} in {self:?}");
        values[0].to_str().expect("text")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        self.body.as_ref().expect("a whole body")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).expect("text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.bytes()).expect("JSON")
    }

    /// The codes of the `errors` body.
    pub(crate) fn codes(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().expect("errors");
        errors.iter().map(|error| error["code"].as_str().expect("a code").to_owned()).collect()
    }

    /// Checks status and the one code.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.codes()), (status, vec![code.to_owned()]), "{self:?}");
    }

    /// What holds of every answer.
    fn check(&self, method: &Method) {
        assert_eq!(self.header("docker-distribution-api-version"), "registry/2.0");
        assert!(!self.header("x-request-id").is_empty());
        assert!(!self.has("content-encoding"), "nothing is ever compressed");
        if self.has("location") {
            assert!(self.header("location").starts_with("/v2/"), "locations are relative: {self:?}");
        }
        let Ok(body) = &self.body else { return };
        if method == Method::HEAD {
            assert!(body.is_empty(), "{self:?}");
        } else if self.has("content-length") {
            assert_eq!(self.header("content-length"), body.len().to_string());
        } else {
            assert!(matches!(self.status, 204 | 304), "every other answer says its length: {self:?}");
        }
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/json");
            if method != Method::HEAD {
                assert!(!self.codes().is_empty());
                assert!(self.json()["errors"][0]["message"].as_str().is_some_and(|words| !words.is_empty()));
            }
        }
    }
}
