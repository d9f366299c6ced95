//! Query strings, read leniently: a registry's values are names, digests and numbers, and each has a parser of its own.
//!
//! `+` is a plus and not a space (no value here may hold a space, but media types hold pluses, and not every client escapes
//! them). A broken escape stays as it is written, and bytes that are not UTF-8 become U+FFFD: the value's own parser says no.

use std::borrow::Cow;

/// The pairs of a query, decoded, in their order. A name without `=` has an empty value.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// The first value of `name`.
#[must_use]
pub fn first<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    pairs(query).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Every value of `name`.
pub fn all<'a>(query: &'a str, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    pairs(query).filter(move |(key, _)| key == name).map(|(_, value)| value)
}

/// Undoes percent-encoding.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3).and_then(byte)).flatten();
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    match String::from_utf8(decoded) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Appends `text` so that it is one value of a query: everything but RFC 3986's unreserved characters is escaped.
pub fn encode_into(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            escape_byte_into(target, byte);
        }
    }
}

/// Appends a byte as `%` and two hex digits.
pub(crate) fn escape_byte_into(target: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    target.push('%');
    target.push(char::from(DIGITS[usize::from(byte >> 4)]));
    target.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The byte that two hex digits mean.
fn byte(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match digits {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_pairs() {
        let query = "n=5&last=a%2Fb&tag=x&tag=y&&flag&t=application/vnd.x+json&bad=%zz%4&e=";
        assert_eq!(first(query, "n").as_deref(), Some("5"));
        assert_eq!(first(query, "last").as_deref(), Some("a/b"));
        assert_eq!(all(query, "tag").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(first(query, "flag").as_deref(), Some(""));
        assert_eq!(first(query, "t").as_deref(), Some("application/vnd.x+json"));
        assert_eq!(first(query, "bad").as_deref(), Some("%zz%4"));
        assert_eq!(first(query, "e").as_deref(), Some(""));
        assert_eq!(first(query, "none"), None);
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(text in any::<String>()) {
            let mut query = String::from("a=1&value=");
            encode_into(&mut query, &text);
            let found = first(&query, "value");
            prop_assert_eq!(found.as_deref(), Some(text.as_str()));
        }

        #[test]
        fn no_query_panics(query in "\\PC{0,60}", escapes in "[%&=+a-fA-F0-9]{0,60}") {
            prop_assert!(pairs(&query).count() <= query.len());
            prop_assert!(pairs(&escapes).count() <= escapes.len());
        }
    }
}
