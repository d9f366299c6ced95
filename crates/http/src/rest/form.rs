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
    use proptest::prelude::*;

    use super::*;
    use crate::query::encode_into;

    #[test]
    fn a_plus_is_a_space_unless_it_is_escaped() {
        assert_eq!(first("principal=a+b&password=1%2B1%20", "principal").as_deref(), Some("a b"));
        assert_eq!(first("principal=a+b&password=1%2B1%20", "password").as_deref(), Some("1+1 "));
        assert_eq!(first("a&b=", "a").as_deref(), Some(""));
        assert_eq!(first("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(first("a=1", "b"), None);
        assert_eq!(unescape("100%+%zz"), "100% %zz");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back_with_spaces_in_both_forms(name in any::<String>(), text in any::<String>()) {
            let mut pair = String::new();
            encode_into(&mut pair, &name);
            pair.push('=');
            encode_into(&mut pair, &text);
            for pair in [pair.replace("%20", "+"), pair] {
                let form = format!("&{pair}&last=1");
                let read: Vec<_> = pairs(&form).map(|(name, text)| (name.into_owned(), text.into_owned())).collect();
                let last = ("last".to_owned(), "1".to_owned());
                prop_assert_eq!(read, vec![(name.clone(), text.clone()), last]);
            }
        }

        #[test]
        fn no_form_panics(text in "\\PC{0,60}", odd in "[%&=+a-fA-F0-9]{0,60}") {
            for form in [text, odd] {
                prop_assert!(pairs(&form).count() <= form.len());
                for (name, _) in pairs(&form) {
                    prop_assert!(first(&form, &name).is_some());
                }
            }
        }
    }
}
