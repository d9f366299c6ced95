//! Where a request says it was sent to: whatever a trusted proxy passes on, the host can be written into a URL and a header.
#![no_main]

use berth_http::{ConnectionInfo, Origins};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8], &[u8], &[u8], &[u8])| {
    let (uri, host, forwarded_host, forwarded_for, scheme) = input;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (HOST, host),
        (HeaderName::from_static("x-forwarded-host"), forwarded_host),
        (HeaderName::from_static("x-forwarded-for"), forwarded_for),
        (HeaderName::from_static("x-forwarded-proto"), scheme),
    ] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    let connection = ConnectionInfo { peer: ([127, 0, 0, 1], 1).into(), tls: false };
    let origins = Origins::new(None, vec!["127.0.0.0/8".parse().expect("a network")]);
    let origin = origins.origin(&connection, &uri.parse().unwrap_or(Uri::from_static("/")), &headers);
    assert!(origin.address.is_some());
    assert!(origin.host.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>/\\?#@".contains(&byte)));
});
