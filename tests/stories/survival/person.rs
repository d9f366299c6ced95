//! Somebody who logs in in every way, and changes the password now and then.

use std::io;

use berth_testkit::{BerthServer, Connection, Random, Request, Response};
use serde_json::json;

use super::Client;
use super::downtime::Downtime;
use crate::browser::{Browser, form};

/// How many of each kind of credential are looked at after a kill.
const LOOKED_AT: usize = 20;

#[derive(Debug)]
pub(super) struct Person {
    address: String,
    downtime: Downtime,
    id: i64,
    name: String,
    random: Random,
    /// What the password may be: one, and two after a change that nobody answered.
    passwords: Vec<String>,
    /// What was given out and counts, unless the password has changed since.
    good: Vec<Given>,
    /// What does not count any more.
    ended: Vec<Given>,
    acknowledged: u64,
}

/// What a log-in gives.
#[derive(Clone, Debug)]
enum Given {
    RefreshToken(String),
    Session(Browser),
}

impl Person {
    pub(super) fn new(server: &BerthServer, downtime: &Downtime, number: u64, seed: u64) -> Self {
        let (name, password) = (format!("person-{number}"), format!("Passw0rd-{number}"));
        let email = format!("{name}@example.org");
        let body = json!({ "username": name, "email": email, "realname": name, "password": password });
        let request = Request::post("/api/v2.0/users").header("Content-Type", "application/json");
        let made = server.ask(&request.body(body.to_string())).expect(201);
        let id = made.header("Location").and_then(|at| at.rsplit('/').next()?.parse().ok());
        Self {
            address: server.address(),
            downtime: downtime.clone(),
            id: id.expect("a number"),
            name,
            random: Random::new(seed),
            passwords: vec![password],
            good: Vec::new(),
            ended: Vec::new(),
            acknowledged: 0,
        }
    }

    fn ask(&self, request: &Request) -> io::Result<Response> {
        Connection::open(&self.address)?.ask(request)
    }

    /// The answer, which must be this one; `None` if the server was killed before it came.
    fn answered(&mut self, request: &Request, status: u16) -> Option<Response> {
        let asked = format!("{} {} of {}", request.method(), request.path(), self.name);
        let answer = self.downtime.answer(&asked, self.ask(request), &[status])?;
        self.acknowledged += 1;
        Some(answer)
    }

    fn with_password(&self, password: &str) -> Request {
        let path = "/service/token?service=harbor-registry&scope=repository:library/app:pull";
        Request::get(format!("{path}&offline_token=true&client_id=story")).login(&self.name, password)
    }

    fn get_tokens(&mut self) {
        let request = self.with_password(&self.passwords[0]);
        if let Some(answer) = self.answered(&request, 200) {
            let token = answer.json()["refresh_token"].as_str().expect("a refresh token").to_owned();
            self.good.push(Given::RefreshToken(token));
        }
    }

    fn begin_session(&mut self) {
        let request = form(&self.name, &self.passwords[0]);
        if let Some(answer) = self.answered(&request, 200) {
            self.good.push(Given::Session(Browser::of(&answer)));
        }
    }

    fn use_something(&mut self) {
        if let Some(given) = self.random_good() {
            self.answered(&given.shown(), 200);
        }
    }

    fn end_session(&mut self) {
        let Some(Given::Session(session)) = self.random_good() else { return };
        self.good.retain(|given| !matches!(given, Given::Session(other) if other.cookie == session.cookie));
        // Without an answer nobody knows.
        if self.answered(&session.request("GET", "/c/log_out"), 200).is_some() {
            self.ended.push(Given::Session(session));
        }
    }

    fn change_password(&mut self) {
        let (old, new) = (self.passwords[0].clone(), format!("Passw0rd-{}", self.random.next()));
        let body = json!({ "old_password": old, "new_password": new }).to_string();
        let request = Request::put(format!("/api/v2.0/users/{}/password", self.id)).login(&self.name, &old);
        let request = request.header("Content-Type", "application/json").body(body);
        if self.answered(&request, 200).is_some() {
            self.changed_to(new);
        } else {
            self.passwords.push(new);
        }
    }

    /// What was given out before ends with it.
    fn changed_to(&mut self, password: String) {
        self.passwords = vec![password];
        self.ended.append(&mut self.good);
    }

    fn random_good(&mut self) -> Option<Given> {
        let count = self.good.len();
        (count > 0).then(|| self.good[self.random.index(count)].clone())
    }

    /// Finds out which of the passwords it is, after a change that nobody answered.
    fn settle(&mut self, when: &str) {
        let works = |password: &String| {
            let status = self.ask(&self.with_password(password)).expect("the server answers").status;
            assert!(matches!(status, 200 | 401), "{when}: {status}");
            status == 200
        };
        let (right, wrong): (Vec<_>, Vec<_>) = self.passwords.iter().cloned().partition(works);
        let name = &self.name;
        assert_eq!(right.len(), 1, "{when}: {right:?} log {name} in, {wrong:?} do not");
        if self.passwords[0] != right[0] {
            self.changed_to(right[0].clone());
        }
        self.passwords = right;
    }
}

impl Given {
    /// A request that is answered by 200 if it counts, and by 401 if it does not.
    fn shown(&self) -> Request {
        match self {
            Self::Session(session) => session.request("GET", "/api/v2.0/users/current"),
            Self::RefreshToken(token) => {
                let form = format!(
                    "grant_type=refresh_token&service=harbor-registry&client_id=story&refresh_token={token}"
                );
                let request = Request::post("/service/token").anonymous();
                request.header("Content-Type", "application/x-www-form-urlencoded").body(form)
            }
        }
    }
}

impl Client for Person {
    fn step(&mut self) {
        // Until the server is back, nobody knows which password it is.
        if self.passwords.len() > 1 {
            return;
        }
        match self.random.below(20) {
            0..=7 => self.get_tokens(),
            8..=11 => self.begin_session(),
            12..=16 => self.use_something(),
            17 => self.end_session(),
            _ => self.change_password(),
        }
    }

    fn check(&mut self, when: &str) {
        self.settle(when);
        for (all, status) in [(&self.good, 200), (&self.ended, 401)] {
            for given in all.iter().rev().take(LOOKED_AT) {
                let found = self.ask(&given.shown()).expect("the server answers").status;
                assert_eq!(found, status, "{when}: {given:?} of {}", self.name);
            }
        }
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }
}
