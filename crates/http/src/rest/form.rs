//! Queries and form bodies as browsers and Go's clients write them: `+` is a space.

use std::borrow::Cow;

use crate::query::decode;

/// The pairs, decoded, in their order. A name without `=` has an empty value.
pub fn pairs(form: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(name), unescape(value))
    })
}

/// The first value of `name`.
#[must_use]
pub fn first<'a>(form: &'a str, name: &str) -> Option<Cow<'a, str>> {
    pairs(form).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Undoes the escapes of a form. What is broken stays as it is written.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(decode(&spaced).into_owned());
    }
    decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_unless_it_is_escaped() {
        assert_eq!(first("principal=a+b&password=1%2B1%20", "principal").as_deref(), Some("a b"));
        assert_eq!(first("principal=a+b&password=1%2B1%20", "password").as_deref(), Some("1+1 "));
        assert_eq!(first("a&b=", "a").as_deref(), Some(""));
        assert_eq!(first("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(first("a=1", "b"), None);
        assert_eq!(unescape("100%+%zz"), "100% %zz");
    }
}
