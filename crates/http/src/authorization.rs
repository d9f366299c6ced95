//! What the `Authorization` header shows (RFC 9110 §11.6.2): read here, judged by `access`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use berth_access::Secret;

/// The longest value that is looked at, in bytes; the longest token fits with its word before it.
pub const LONGEST: usize = berth_access::token::LONGEST_TOKEN + 64;

/// Some clients leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request shows of who makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// Nothing.
    Nothing,
    /// A name and a secret (RFC 7617).
    Basic {
        /// The name as it was given.
        login: String,
        /// The password or secret.
        secret: Secret,
    },
    /// A token (RFC 6750).
    Bearer(&'a str),
    /// Something that nobody can be known by; the words say what to send instead.
    Unusable(&'static str),
}

impl<'a> Shown<'a> {
    /// Reads the header. Two of them are unusable: it is not for us to choose.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return if headers.contains_key(AUTHORIZATION) {
                Self::Unusable("there are two Authorization headers: send one")
            } else {
                Self::Nothing
            };
        };
        if value.len() > LONGEST {
            return Self::Unusable(
                "the Authorization header is longer than any that is issued here: log in again",
            );
        }
        value.to_str().map_or(Self::Unusable(UNREADABLE), Self::read)
    }

    fn read(value: &'a str) -> Self {
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            Self::basic(rest).unwrap_or(Self::Unusable(
                "the Authorization header is no Basic authentication: encode name:secret in base64",
            ))
        } else if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            Self::Bearer(rest)
        } else {
            Self::Unusable(UNREADABLE)
        }
    }

    fn basic(encoded: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
        let (login, secret) = text.split_once(':')?;
        let printable = !login.is_empty() && !text.contains(char::is_control);
        printable.then(|| Self::Basic { login: login.to_owned(), secret: Secret::new(secret) })
    }
}

const UNREADABLE: &str = "the Authorization header cannot be read: use Basic or Bearer";

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use berth_domain::RobotLogin;
    use proptest::prelude::*;

    use super::*;

    fn header(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        headers
    }

    fn basic(text: &str) -> HeaderMap {
        header(format!("Basic {}", BASE64.encode(text)).as_bytes())
    }

    #[test]
    fn names_secrets_and_tokens_are_read() {
        assert_eq!(Shown::of(&HeaderMap::new()), Shown::Nothing);
        let robot = Shown::Basic { login: "robot$p+ci".into(), secret: Secret::new("a:b") };
        assert_eq!(Shown::of(&basic("robot$p+ci:a:b")), robot, "the secret begins after the first colon");
        assert_eq!(
            Shown::of(&header(b"bASIC YTpi")),
            Shown::Basic { login: "a".into(), secret: Secret::new("b") }
        );
        assert_eq!(
            Shown::of(&header(b"Basic YTo")),
            Shown::Basic { login: "a".into(), secret: Secret::new("") }
        );
        assert_eq!(Shown::of(&header(b"Bearer abc.def")), Shown::Bearer("abc.def"));
    }

    #[test]
    fn what_names_nobody_is_unusable() {
        for value in ["Basic", "Basic !", "Bearer", "Bearer  ", "Digest a", "", "Basic OmI=", "Basic YWI="] {
            assert!(matches!(Shown::of(&header(value.as_bytes())), Shown::Unusable(_)), "{value}");
        }
        assert!(matches!(Shown::of(&header(b"Basic \xff")), Shown::Unusable(_)));
        assert!(matches!(Shown::of(&basic("a\n:b")), Shown::Unusable(_)));
        assert!(matches!(Shown::of(&header(&vec![b'x'; LONGEST + 1])), Shown::Unusable(_)));
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(matches!(Shown::of(&twice), Shown::Unusable(_)));
    }

    proptest! {
        #[test]
        fn no_header_panics(value in proptest::collection::vec(32_u8..=255, 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let headers = header(value.as_bytes());
                prop_assert_ne!(Shown::of(&headers), Shown::Nothing);
            }
        }

        #[test]
        fn what_is_shown_can_stand_in_a_log(
            scheme in "Basic|basic|Bearer|Digest",
            text in "(robot\\$)?.{0,20}(:.{0,20})?",
            robot in "robot\\$([a-z.]{1,5}\\+)?[a-z0-9._-]{1,10}",
            raw in "[ -~]{0,40}",
        ) {
            for rest in [BASE64.encode(&text), BASE64.encode(format!("{robot}:x")), raw] {
                let headers = header(format!("{scheme} {rest}").as_bytes());
                match Shown::of(&headers) {
                    Shown::Nothing => return Err(TestCaseError::fail("there is a header")),
                    Shown::Basic { login, secret } => {
                        prop_assert!(!login.is_empty() && !login.contains(':'));
                        prop_assert!(!login.contains(char::is_control));
                        prop_assert!(!secret.reveal().contains(char::is_control));
                        if let Some(robot) = RobotLogin::parse("robot$", &login) {
                            prop_assert_eq!(robot.render("robot$"), login);
                        }
                    }
                    Shown::Bearer(token) => prop_assert!(!token.is_empty()),
                    Shown::Unusable(words) => prop_assert!(!words.is_empty()),
                }
            }
        }

        #[test]
        fn what_was_encoded_is_shown(login in "[^:\\pC]{1,20}", secret in "\\PC{0,20}") {
            let expected = Shown::Basic { login: login.clone(), secret: Secret::new(secret.clone()) };
            let headers = basic(&format!("{login}:{secret}"));
            prop_assert_eq!(Shown::of(&headers), expected);
        }
    }
}
