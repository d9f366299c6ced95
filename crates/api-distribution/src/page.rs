//! `n` and `last`: how lists of names are paged.

use std::borrow::Cow;

use crate::call::Call;
use crate::error::Error;

/// How many names a page has at most, and has when the client does not say.
pub(crate) const LARGEST: u32 = 10_000;

/// The page that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageRequest<'a> {
    /// How many names; may be zero.
    pub(crate) n: u32,
    /// The name before the first one; need not exist.
    pub(crate) last: Option<Cow<'a, str>>,
}

impl<'a> PageRequest<'a> {
    /// Reads the query of a request.
    pub(crate) fn of(call: &Call<'a>) -> Result<Self, Error> {
        let n = call.parameter("n").map_or(Ok(LARGEST), |text| number(&text))?;
        // No name has a NUL, and databases take none: what follows one changes nothing about the order.
        let last = call.parameter("last").map(|last| match last.split_once('\0') {
            Some((before, _)) => Cow::Owned(before.to_owned()),
            None => last,
        });
        Ok(Self { n, last: last.filter(|last| !last.is_empty()) })
    }
}

/// A number of names: what is larger than [`LARGEST`] is that.
fn number(text: &str) -> Result<u32, Error> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::PageNumber);
    }
    Ok(text.parse().unwrap_or(LARGEST).min(LARGEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_capped_and_nonsense_is_refused() {
        for (text, expected) in [
            ("0", 0),
            ("7", 7),
            ("007", 7),
            ("9999", 9_999),
            ("10000", 10_000),
            ("10001", 10_000),
            (&"9".repeat(99), 10_000),
        ] {
            assert_eq!(number(text).ok(), Some(expected), "{text}");
        }
        for bad in ["", "-1", "+1", "1.5", "x", " 1", "0x1"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_digits(n: u64, text in "\\PC{0,20}") {
            prop_assert_eq!(number(&n.to_string()).ok(), Some(u32::try_from(n).unwrap_or(LARGEST).min(LARGEST)));
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            prop_assert_eq!(number(&text).is_ok(), digits);
        }
    }
}
