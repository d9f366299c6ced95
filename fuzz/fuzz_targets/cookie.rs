//! The session's cookie: any lines are read, and what is found is short and of the form that sessions have or none.
#![no_main]

use berth_access::opaque;
use berth_http::cookies;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: Vec<&[u8]>| {
    let mut headers = HeaderMap::new();
    for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()).take(100) {
        headers.append(COOKIE, line);
    }
    if let Some(session) = cookies::session(&headers) {
        assert!((1..=256).contains(&session.reveal().len()));
        let ours = session.reveal().len() == 64
            && session.reveal().bytes().all(|b| b"0123456789abcdef".contains(&b));
        assert_eq!(opaque::hash(session.reveal()).is_some(), ours);
    }
});
