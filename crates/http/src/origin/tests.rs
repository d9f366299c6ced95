//! What a request may say of where it came from, and what it may not.

use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

const PROXY: [u8; 4] = [10, 1, 2, 3];
const STRANGER: [u8; 4] = [192, 0, 2, 7];

fn origins() -> Origins {
    Origins::new(None, vec!["10.0.0.0/8".parse().unwrap()])
}

fn asked(origins: &Origins, peer: [u8; 4], tls: bool, said: &[(&'static str, &str)]) -> Origin {
    let mut headers = HeaderMap::new();
    for (name, value) in said {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let connection = ConnectionInfo { peer: (peer, 1).into(), tls };
    origins.origin(&connection, &Uri::from_static("/v2/"), &headers)
}

#[test]
fn a_stranger_says_nothing_of_scheme_and_address() {
    let said = [
        ("host", "registry.example.org:5000"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example.org"),
        ("x-forwarded-for", "198.51.100.1"),
    ];
    let origin = asked(&origins(), STRANGER, false, &said);
    assert_eq!(origin.url(), "http://registry.example.org:5000");
    assert_eq!(origin.address, Some(STRANGER.into()));
}

#[test]
fn a_proxy_that_nobody_trusts_is_worth_one_word() {
    let origins = origins();
    let warned = |peer, name| {
        asked(&origins, peer, false, &[(name, "198.51.100.1")]);
        origins.warned.load(Ordering::Relaxed)
    };
    assert!(!warned(STRANGER, "host"));
    assert!(!warned(PROXY, "x-forwarded-for"));
    assert!(warned(STRANGER, "x-forwarded-for"));
    let mut headers = HeaderMap::new();
    headers.append(&FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
    assert!(!origins.clone().is_first_ignored(&headers), "it was said");
}

#[test]
fn a_trusted_proxy_is_believed() {
    let said = [
        ("host", "10.9.9.9"),
        ("x-forwarded-proto", "http, https"),
        ("x-forwarded-host", "registry.example.org"),
        ("x-forwarded-for", "203.0.113.5, 198.51.100.1, 10.7.7.7"),
    ];
    let origin = asked(&origins(), PROXY, false, &said);
    assert_eq!(origin.url(), "https://registry.example.org");
    assert_eq!(origin.address, Some([198, 51, 100, 1].into()), "what stands before it may be a lie");
}

#[test]
fn a_broken_chain_ends_where_it_breaks() {
    let said = [("x-forwarded-for", "203.0.113.5, unknown, 10.7.7.7")];
    assert_eq!(asked(&origins(), PROXY, true, &said).address, Some([10, 7, 7, 7].into()));
    let none = asked(&origins(), PROXY, true, &[("x-forwarded-for", "nothing")]);
    assert_eq!(none.address, Some(PROXY.into()));
    let with_port = [("x-forwarded-for", "[2001:db8::1]:4711")];
    assert_eq!(asked(&origins(), PROXY, true, &with_port).address, "2001:db8::1".parse().ok());
}

#[test]
fn the_configured_address_wins() {
    let external = External { scheme: Scheme::Https, host: "registry.example.org".into() };
    let origins = Origins::new(Some(external), Vec::new());
    let origin = asked(&origins, STRANGER, false, &[("host", "evil.example.org")]);
    assert_eq!(origin.url(), "https://registry.example.org");
}

#[test]
fn a_host_that_is_none_is_left_out() {
    for forged in ["a\"b", "a/b", "a b", "user@host", "a,b", "", ":80"] {
        let origin = asked(&origins(), STRANGER, false, &[("host", forged)]);
        assert_eq!(origin.host, "", "{forged}");
    }
    assert_eq!(asked(&origins(), STRANGER, true, &[("host", "[::1]:5000")]).url(), "https://[::1]:5000");
}

proptest! {
    #[test]
    fn whatever_is_said_stays_inside_a_url(host in "[ -~]{0,40}", chain in "[ -~]{0,60}") {
        let said = [("host", host.as_str()), ("x-forwarded-host", host.as_str()), ("x-forwarded-for", &chain)];
        let origin = asked(&origins(), PROXY, false, &said);
        let harmless = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        prop_assert!(origin.host.chars().all(harmless));
    }

    #[test]
    fn whatever_a_proxy_passes_on_is_an_address_and_a_plain_host(
        uri in "(https?://)?[a-z0-9@:%?#./\\[\\]-]{0,30}",
        host in "[ -~]{0,40}",
        chain in "[ -~]{0,60}",
        scheme in "[ -~]{0,10}",
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", &host),
            ("x-forwarded-host", &host),
            ("x-forwarded-for", &chain),
            ("x-forwarded-proto", &scheme),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let connection = ConnectionInfo { peer: (PROXY, 1).into(), tls: false };
        let uri = uri.parse().unwrap_or(Uri::from_static("/"));
        let origin = origins().origin(&connection, &uri, &headers);
        prop_assert!(origin.address.is_some());
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>/\\?#@".contains(&byte);
        prop_assert!(origin.host.bytes().all(plain), "{}", origin.host);
    }
}

proptest! {
    #[test]
    fn what_is_plain_is_an_authority_without_a_user(host in "[a-z0-9._:-]{0,12}") {
        if is_plain(&host) {
            let authority: Authority = host.parse().unwrap();
            prop_assert!(!host.contains('@') && !authority.host().is_empty());
        }
    }
}

#[test]
fn a_request_names_one_host() {
    for (version, hosts, expected) in [
        (Version::HTTP_11, &["berth:5000"][..], true),
        (Version::HTTP_11, &["berth-1.example.org"], true),
        (Version::HTTP_11, &["[::1]:5000"], true),
        (Version::HTTP_11, &[""], true),
        (Version::HTTP_11, &[], false),
        (Version::HTTP_11, &["a", "b"], false),
        (Version::HTTP_11, &["a", "a"], false),
        (Version::HTTP_11, &["a/b"], false),
        (Version::HTTP_11, &["user@a"], false),
        (Version::HTTP_11, &["a, b"], false),
        (Version::HTTP_10, &[], true),
        (Version::HTTP_10, &["a", "b"], false),
        (Version::HTTP_2, &[], true),
        (Version::HTTP_2, &["a"], true),
        (Version::HTTP_2, &["a", "b"], false),
    ] {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        assert_eq!(names_its_host(version, &headers), expected, "{version:?} {hosts:?}");
    }
}
