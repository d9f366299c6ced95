//! Somebody who asks, and how they show who they are.

use berth_access::authenticator::{Credentials, Purpose};
use berth_access::scope::parse_scopes;
use berth_access::{Caller, Gatekeeper, Secret};

use super::operations::{Cookies, Operation, Place};

/// Somebody who asks.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) name: String,
    /// Their number, if they are a person.
    pub(super) id: Option<i64>,
    /// The name and the secret.
    login: Option<(String, String)>,
    means: Means,
}

/// How they show who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    Basic,
    /// With a token for what they ask, of that at most this.
    Token(Wanted),
    /// With a token that they have had for a while.
    Kept(String),
    /// With a session's cookie and its other token.
    Cookie(Cookie),
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) sid: String,
    pub(super) csrf: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    Pull,
    Nothing,
}

/// What a request shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) authorization: Option<String>,
    pub(super) cookie: Option<Cookie>,
    /// At the end of the body.
    pub(super) form: String,
}

impl Actor {
    /// Nobody at all.
    pub(super) fn anonymous() -> Self {
        Self { name: "anonymous".into(), id: None, login: None, means: Means::Basic }
    }

    /// Somebody with a name and a secret.
    pub(super) fn with(name: &str, login: &str, secret: &str) -> Self {
        let login = Some((login.to_owned(), secret.to_owned()));
        Self { name: name.to_owned(), id: None, login, means: Means::Basic }
    }

    /// The same with their number.
    pub(super) fn numbered(self, id: i64) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same, with tokens.
    pub(super) fn by_token(&self, wanted: Wanted) -> Self {
        Self { means: Means::Token(wanted), ..self.clone() }
    }

    /// The same, with the token that they have now for everything in these repositories.
    pub(super) async fn with_token_kept(&self, gatekeeper: &Gatekeeper, scopes: &str) -> Self {
        let token = token(gatekeeper, self.login.as_ref(), Wanted::Everything, scopes).await;
        Self { means: Means::Kept(token), ..self.clone() }
    }

    /// The same, with a session.
    pub(super) async fn by_cookie(&self, gatekeeper: &Gatekeeper) -> Self {
        Self { means: Means::Cookie(self.new_session(gatekeeper).await), ..self.clone() }
    }

    /// A new session. Who has no account has one that ended.
    async fn new_session(&self, gatekeeper: &Gatekeeper) -> Cookie {
        let admin = || ("admin".to_owned(), super::cast::ADMIN_PASSWORD.to_owned());
        let (login, secret) = self.login.clone().unwrap_or_else(admin);
        let (purpose, secret) = (Purpose::Api, &Secret::new(secret));
        let shown = Credentials { login: &login, secret, purpose, address: None, request_id: "" };
        let authenticator = &gatekeeper.authenticator;
        let cookie = authenticator.log_in(&shown).await.unwrap().cookie;
        if self.login.is_none() {
            authenticator.log_out(&cookie).await.unwrap();
        }
        Cookie { sid: cookie.reveal().to_owned(), csrf: authenticator.csrf(&cookie) }
    }

    /// What they show when they ask for it.
    pub(super) async fn show(
        &self,
        gatekeeper: &Gatekeeper,
        operation: &Operation,
        place: &Place<'_>,
    ) -> Shown {
        match &self.means {
            Means::Basic if operation.log_in_by_form => {
                let (login, secret) = self.login.clone().unwrap_or_default();
                let escaped = |text: String| text.replace('+', "%2B").replace('$', "%24").replace(' ', "+");
                let form = format!("&username={}&password={}", escaped(login), escaped(secret));
                Shown { form, ..Shown::default() }
            }
            Means::Basic => {
                let authorization = self.login.as_ref().map(|(login, secret)| basic(login, secret));
                Shown { authorization, ..Shown::default() }
            }
            Means::Token(wanted) => {
                let scopes = operation.scopes(place);
                let token = token(gatekeeper, self.login.as_ref(), *wanted, &scopes).await;
                Shown { authorization: Some(token), ..Shown::default() }
            }
            Means::Kept(token) => Shown { authorization: Some(token.clone()), ..Shown::default() },
            Means::Cookie(_) if operation.cookies == Cookies::Ended => {
                Shown { cookie: Some(self.new_session(gatekeeper).await), ..Shown::default() }
            }
            Means::Cookie(cookie) => Shown { cookie: Some(cookie.clone()), ..Shown::default() },
        }
    }
}

/// The header with a token for the scopes, of that at most what is wanted.
async fn token(
    gatekeeper: &Gatekeeper,
    login: Option<&(String, String)>,
    wanted: Wanted,
    scopes: &str,
) -> String {
    let asked = parse_scopes([scopes]).unwrap();
    let asked = asked.into_iter().filter(|scope| wanted == Wanted::Everything || scope.kind != "registry");
    let asked = asked.map(|mut scope| {
        scope.actions.retain(|action| wanted == Wanted::Everything || action == "pull");
        scope
    });
    let asked: Vec<_> = asked.filter(|_| wanted != Wanted::Nothing).collect();
    let caller = match login {
        None => Caller::anonymous(None, String::new()),
        Some((login, secret)) => {
            let (purpose, secret) = (Purpose::Registry, &Secret::new(secret));
            let shown = Credentials { login, secret, purpose, address: None, request_id: "" };
            gatekeeper.authenticator.basic(&shown).await.unwrap()
        }
    };
    let granted = gatekeeper.tokens.issue(&caller, &asked).await.unwrap();
    format!("Bearer {}", granted.token.token.reveal())
}

/// The header that shows a name and a secret.
pub(super) fn basic(login: &str, secret: &str) -> String {
    use base64::Engine as _;
    let both = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{secret}"));
    format!("Basic {both}")
}
