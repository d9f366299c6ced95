//! The `Authorization` header: any bytes are read or refused, a name that is shown can stand in a log, and a robot's is what it was.
#![no_main]

use berth_domain::RobotLogin;
use berth_http::authorization::Shown;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value);
    match Shown::of(&headers) {
        Shown::Nothing => panic!("there is a header"),
        Shown::Basic { login, secret } => {
            assert!(!login.is_empty() && !login.contains(':'));
            assert!(!login.contains(char::is_control) && !secret.reveal().contains(char::is_control));
            if let Some(robot) = RobotLogin::parse("robot$", &login) {
                assert_eq!(robot.render("robot$"), login);
            }
        }
        Shown::Bearer(token) => assert!(!token.is_empty()),
        Shown::Unusable(words) => assert!(!words.is_empty()),
    }
});
