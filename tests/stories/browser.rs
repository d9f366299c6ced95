//! A browser: somebody's session, known by its cookie.

use berth_testkit::{BerthServer, Request, Response};

/// Where a browser finds the token that its session's unsafe requests must carry.
pub(crate) const TOKEN: &str = "X-Harbor-CSRF-Token";

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// `sid=…`.
    pub(crate) cookie: String,
    /// The session's token.
    pub(crate) token: String,
}

impl Browser {
    /// Logs in.
    #[track_caller]
    pub(crate) fn log_in(server: &BerthServer, name: &str, password: &str) -> Self {
        Self::of(&server.ask(&form(name, password)).expect(200))
    }

    /// The session that an answer to a log-in begins.
    #[track_caller]
    pub(crate) fn of(answer: &Response) -> Self {
        let cookie = answer.header("Set-Cookie").expect("a cookie");
        let cookie = cookie.split(';').next().expect("a value").to_owned();
        assert!(cookie.starts_with("sid="), "{cookie}");
        Self { cookie, token: answer.header(TOKEN).expect("a token").to_owned() }
    }

    /// A request that carries the cookie and nothing else.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).anonymous().header("Cookie", &self.cookie)
    }

    /// The status of the question who this is: 200, or 401 if the session is over.
    pub(crate) fn who(&self, server: &BerthServer) -> u16 {
        server.ask(&self.request("GET", "/api/v2.0/users/current")).status
    }
}

/// The form by which a person logs in.
pub(crate) fn form(name: &str, password: &str) -> Request {
    let request = Request::post("/c/login").anonymous();
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.body(format!("principal={name}&password={password}"))
}
