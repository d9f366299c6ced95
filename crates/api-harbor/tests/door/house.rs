//! A house with accounts in a temporary directory, and how its door is asked.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use berth_access::authenticator::AuthenticatorSettings;
use berth_access::authority::AuthoritySettings;
use berth_access::brute_force::{BruteForce, BruteForceSettings};
use berth_access::first_start;
use berth_access::password::PasswordSettings;
use berth_access::permissions::SystemRules;
use berth_access::seal::Seals;
use berth_access::token::{LONGEST_TOKEN, Rotation, TokenSettings};
use berth_access::{Gatekeeper, GatekeeperParts, GatekeeperSettings, Secret};
use berth_api_harbor::{Door, HarborSettings};
use berth_blobs::BufferPool;
use berth_blobs_filesystem::{FilesystemBlobs, LocalFileSystem, Options};
use berth_cache::Attempts;
use berth_cache_memory::{Lifetimes, MemoryAttempts, MemoryCache};
use berth_domain::{Clock, Entropy, SystemEntropy};
use berth_http::{ConnectionInfo, Origins, RequestIdLayer, RequestIds, RouteName};
use berth_management::{Management, ManagementSettings, Parts};
use berth_metadata::Metadata;
use berth_metadata_sql::SqlMetadata;
use berth_testkit::TestClock;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};

use crate::swagger::SWAGGER;

/// The password of everybody in these tests.
pub(crate) const PASSWORD: &str = "Passw0rd of a user";

/// The longest body in these tests.
pub(crate) const BODY_LIMIT: usize = 32 << 10;

/// A name and a secret.
pub(crate) type Login<'a> = (&'a str, &'a str);

/// The first administrator.
pub(crate) const ADMIN: Login<'static> = ("admin", PASSWORD);

/// The house and its door.
pub(crate) struct House {
    door: Door,
    ids: RequestIdLayer,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) gatekeeper: Gatekeeper,
    /// Where everything is kept, to be closed.
    pub(crate) database: SqlMetadata,
    _directory: TempDir,
}

/// A request on its way.
pub(crate) struct Ask<'a> {
    house: &'a House,
    method: &'a str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    tls: bool,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; null if there is none, or another kind.
    pub(crate) json: Value,
    pub(crate) text: String,
    pub(crate) operation: &'static str,
}

impl House {
    /// An empty house with its first administrator.
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = TestClock::new();
        let attempts: Arc<dyn Attempts> =
            Arc::new(MemoryAttempts::new(Arc::<TestClock>::clone(&clock), 1024));
        let sql = SqlMetadata::open_sqlite(&directory.path().join("berth.db")).await.expect("a database");
        let metadata: Arc<dyn Metadata> = Arc::new(sql.clone());
        let brute_force = BruteForce::new(Arc::clone(&attempts), BruteForceSettings::default());
        let gatekeeper = gatekeeper(&metadata, Arc::<TestClock>::clone(&clock), attempts).await;
        let password = Secret::new(PASSWORD);
        let made =
            first_start::ensure_admin(metadata.as_ref(), &gatekeeper.passwords, clock.as_ref(), password);
        assert!(made.await.expect("an administrator"));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let blobs = FilesystemBlobs::open(
            &directory.path().join("blobs"),
            Arc::clone(&entropy),
            BufferPool::new(1 << 20),
            Arc::new(LocalFileSystem),
            Options::default(),
        );
        let parts = Parts {
            metadata: Arc::clone(&metadata),
            blobs: Arc::new(blobs.expect("storage")),
            cache: Arc::new(MemoryCache::new(1 << 20, Lifetimes::default(), Arc::<TestClock>::clone(&clock))),
            authority: Arc::clone(&gatekeeper.authority),
            passwords: gatekeeper.passwords.clone(),
            secret_key: gatekeeper.secret_key.clone(),
            brute_force,
            clock: Arc::<TestClock>::clone(&clock),
            entropy,
        };
        let management = Management::open(parts, ManagementSettings::default());
        let settings = HarborSettings { body_limit: BODY_LIMIT, body_timeout: Duration::from_secs(5) };
        let door = Door::new(management, gatekeeper.gate(), BufferPool::new(1 << 20), settings);
        let ids = RequestIdLayer::new(RequestIds::new(1));
        Self { door, ids, clock, gatekeeper, database: sql, _directory: directory }
    }

    /// Asks `METHOD path`.
    pub(crate) fn ask<'a>(&'a self, line: &'a str) -> Ask<'a> {
        let (method, path) = line.split_once(' ').expect("METHOD path");
        let path = if path.starts_with("/c/") || path.starts_with("/api/") || path == "/" {
            path.to_owned()
        } else {
            format!("/api/v2.0{path}")
        };
        Ask { house: self, method, path, headers: Vec::new(), body: Vec::new(), tls: false }
    }

    /// Makes a user with the password of all, and gives their number.
    pub(crate) async fn user(&self, name: &str) -> i64 {
        let email = format!("{name}@example.org");
        let body =
            serde_json::json!({"username": name, "email": email, "realname": name, "password": PASSWORD});
        self.ask("POST /users").by(ADMIN).json(&body).await.expect(201).made()
    }

    /// Makes a project, and gives its number.
    pub(crate) async fn project(&self, name: &str, public: bool) -> i64 {
        let body = serde_json::json!({"project_name": name, "metadata": {"public": public.to_string()}});
        self.ask("POST /projects").by(ADMIN).json(&body).await.expect(201).made()
    }

    /// Gives a user a role.
    pub(crate) async fn member(&self, project: &str, user: &str, role: i64) -> i64 {
        let body = serde_json::json!({"role_id": role, "member_user": {"username": user}});
        self.ask(&format!("POST /projects/{project}/members")).by(ADMIN).json(&body).await.expect(201).made()
    }
}

impl Ask<'_> {
    /// With a name and a secret.
    pub(crate) fn by(self, (name, secret): Login<'_>) -> Self {
        let both = base64(format!("{name}:{secret}").as_bytes());
        self.header("authorization", &format!("Basic {both}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Over TLS.
    pub(crate) fn encrypted(mut self) -> Self {
        self.tls = true;
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body.to_owned())
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut request = axum::extract::Request::builder().method(self.method).uri(&self.path);
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let mut request = request.body(Body::from(self.body)).expect("a request");
            let connection = ConnectionInfo { peer: ([192, 0, 2, 1], 1).into(), tls: self.tls };
            let origin = Origins::default().origin(&connection, request.uri(), request.headers());
            request.extensions_mut().insert(connection);
            request.extensions_mut().insert(origin);
            let door = self.house.door.clone();
            let service = self.house.ids.layer(service_fn(async |request| {
                Ok::<_, std::convert::Infallible>(door.answer(request).await)
            }));
            let Ok(answer) = service.oneshot(request).await;
            let operation = answer.extensions().get::<RouteName>().expect("metrics need a name").0;
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.expect("whole").to_bytes();
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let json = serde_json::from_str(&text).unwrap_or_default();
            let answer =
                Answer { status: parts.status.as_u16(), headers: parts.headers, json, text, operation };
            answer.check(self.method, &self.path);
            answer
        })
    }
}

impl Answer {
    /// What holds of every answer.
    fn check(&self, method: &str, path: &str) {
        let said = format!("{method} {path}: {} {}", self.status, self.text);
        assert!(self.headers.contains_key("x-request-id"), "{said}");
        if self.status >= 400 && method != "HEAD" {
            let error = &self.json["errors"][0];
            assert!(
                error["code"].is_string() && !error["message"].as_str().expect(&said).is_empty(),
                "{said}"
            );
        }
        // The only fault of the server that is met here is one that passes.
        assert!(self.status < 500 || self.header("retry-after").is_some(), "{said}");
        if self.status < 300 && method != "HEAD" && self.operation != "getPing" {
            let complaints = SWAGGER.complaints(self.operation, self.status, &self.json);
            assert!(complaints.is_empty(), "{said}: {complaints:#?}");
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.operation, self.text);
        self
    }

    /// A refusal with this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json["errors"][0]["code"], code, "{}", answer.text);
        answer
    }

    /// The number at the end of `Location`.
    #[track_caller]
    pub(crate) fn made(&self) -> i64 {
        let location = self.header("location").expect("a Location");
        location.rsplit('/').next().expect("a part").parse().expect("a number")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The words of a refusal.
    pub(crate) fn words(&self) -> &str {
        self.json["errors"][0]["message"].as_str().expect("a refusal")
    }
}

/// All of access, with passwords that cost next to nothing.
async fn gatekeeper(
    metadata: &Arc<dyn Metadata>,
    clock: Arc<dyn Clock>,
    attempts: Arc<dyn Attempts>,
) -> Gatekeeper {
    let rotation = Rotation {
        period: Duration::from_hours(24),
        lead: Duration::from_mins(5),
        token_lifetime: Duration::from_mins(30),
    };
    let tokens = TokenSettings {
        issuer: "berth".to_owned(),
        service: "harbor-registry".to_owned(),
        lifetime: rotation.token_lifetime,
        remembered: 64,
        longest: LONGEST_TOKEN,
    };
    let rules = SystemRules { users_create_projects: true };
    let settings = GatekeeperSettings {
        tokens,
        rotation,
        authority: AuthoritySettings { rules, remembered: 1024, ..AuthoritySettings::default() },
        passwords: PasswordSettings {
            memory_kib: 8,
            iterations: 1,
            parallelism: 1,
            at_once: 2,
            waiting: 256,
        },
        brute_force: BruteForceSettings::default(),
        authenticator: AuthenticatorSettings::default(),
    };
    let parts = GatekeeperParts {
        metadata: Arc::clone(metadata),
        cache: Arc::new(MemoryCache::new(1 << 20, Lifetimes::default(), Arc::clone(&clock))),
        attempts,
        clock,
        entropy: Arc::new(SystemEntropy),
        seals: Arc::new(Seals::new(b"a secret key of the configuration", []).expect("a key")),
    };
    Gatekeeper::open(parts, settings).await.expect("a gatekeeper")
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            u32::from_be_bytes([0, chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)]);
        for at in 0..4 {
            let digit = usize::try_from(word >> (18 - 6 * at) & 63).expect("six bits");
            text.push(if at <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}
