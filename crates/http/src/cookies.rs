//! The cookie of a browser's session (RFC 6265): read, set and taken away.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use berth_access::Secret;

use crate::Scheme;

/// The session's cookie, as Harbor calls it.
const SESSION: &str = "sid";
/// The longest value that is looked at, in bytes.
const LONGEST: usize = 256;

/// The value of the session's cookie, if the request carries one.
#[must_use]
pub fn session(headers: &HeaderMap) -> Option<Secret> {
    value(headers, SESSION).map(Secret::new)
}

/// The value of a cookie; the first one of that name.
#[must_use]
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"')).next();
    found.filter(|value| !value.is_empty() && value.len() <= LONGEST)
}

/// A `Set-Cookie` that begins a session: no script reads it, no other site's page sends it, and nothing sends it in the clear if it
/// was set over TLS. It ends with the browser, or earlier on the server.
#[must_use]
pub fn begin(session: &Secret, scheme: Scheme) -> HeaderValue {
    set(session.reveal(), "", scheme)
}

/// A `Set-Cookie` that takes the session's cookie away.
#[must_use]
pub fn end(scheme: Scheme) -> HeaderValue {
    set("", "; Max-Age=0", scheme)
}

fn set(value: &str, age: &str, scheme: Scheme) -> HeaderValue {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let text = format!("{SESSION}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}");
    // Sessions' names are hex digits.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use berth_access::opaque;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_session_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(session(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("lang=de; xsid=1;sid=\"abc\" ; sid=later"));
        assert_eq!(session(&headers), Some(Secret::new("abc")));
        assert_eq!(value(&headers, "lang"), Some("de"));
        let mut empty = HeaderMap::new();
        empty.append(COOKIE, HeaderValue::from_static("sid=; sid"));
        assert_eq!(session(&empty), None);
    }

    #[test]
    fn only_tls_makes_a_cookie_secure() {
        let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
        let plain = text(begin(&Secret::new("ab"), Scheme::Http));
        assert_eq!(plain, "sid=ab; Path=/; HttpOnly; SameSite=Lax");
        assert!(text(begin(&Secret::new("ab"), Scheme::Https)).ends_with("; Secure"));
        assert!(text(end(Scheme::Http)).starts_with("sid=; Path=/; Max-Age=0"));
    }

    proptest! {
        #[test]
        fn what_is_found_is_short_and_a_session_or_none(
            lines in prop::collection::vec("((sid|xsid|lang)?=?(\"|[0-9a-f]{63,65}|[ -~]{0,300})?;? ?){0,4}", 0..4),
        ) {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
            }
            if let Some(found) = session(&headers) {
                let found = found.reveal();
                prop_assert!((1..=LONGEST).contains(&found.len()) && !found.contains(';'), "{}", found);
                let ours = found.len() == 64 && found.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
                prop_assert_eq!(opaque::hash(found).is_some(), ours);
            }
        }

        #[test]
        fn what_was_set_is_found_whatever_stands_beside_it(
            text in "[!#-+\\--:<-~]{1,256}",
            before in "[a-z]{1,5}=[!#-+\\--:<-~]{0,20}",
            quoted: bool,
        ) {
            let quote = if quoted { "\"" } else { "" };
            let mut headers = HeaderMap::new();
            let line = format!("{before}; our-cookie={quote}{text}{quote}; last=1");
            headers.append(COOKIE, HeaderValue::from_str(&line).unwrap());
            prop_assert_eq!(value(&headers, "our-cookie"), Some(text.as_str()));
        }

        #[test]
        fn no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(line) = HeaderValue::from_bytes(&line) {
                let headers: HeaderMap = [(COOKIE, line)].into_iter().collect();
                let _ = session(&headers);
            }
        }
    }
}
