//! `sort=field,-field`: by what a list is sorted.

use super::refusal::{Code, Refusal};

/// Reads `sort`: the order that the first field names, and whether it is turned round. `known` are the fields that the list can be
/// sorted by; their names are compared without case and underscores, as `creation_time` and `CreationTime` are one in Harbor. The
/// fields after the first one must be known and decide nothing: no two rows of Berth's lists are equal in the first one.
pub fn order<O: Copy>(sort: &str, known: &[(&str, O)]) -> Result<Option<(O, bool)>, Refusal> {
    let mut first = None;
    for field in sort.split(',').map(str::trim).filter(|field| !field.is_empty()) {
        let (name, descending) = field.strip_prefix('-').map_or((field, false), |name| (name, true));
        let found = known.iter().find(|(known, _)| same(known, name));
        let (_, order) = found.ok_or_else(|| unknown(known))?;
        first = first.or(Some((*order, descending)));
    }
    Ok(first)
}

/// Whether two names of a field mean the same one.
pub(super) fn same(one: &str, other: &str) -> bool {
    let letters = |name: &'_ str| -> Vec<u8> {
        name.bytes().filter(|&byte| byte != b'_').map(|byte| byte.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

fn unknown<O>(known: &[(&str, O)]) -> Refusal {
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    Refusal::new(
        Code::BadRequest,
        format!("sort takes {}; a minus before it turns the order round", names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum By {
        Name,
        Time,
    }

    const KNOWN: &[(&str, By)] = &[("name", By::Name), ("creation_time", By::Time)];

    #[test]
    fn the_first_field_decides() {
        for (sort, expected) in [
            ("", None),
            ("name", Some((By::Name, false))),
            ("-creation_time", Some((By::Time, true))),
            ("-CreationTime,name", Some((By::Time, true))),
            (" name , -creation_time", Some((By::Name, false))),
            (",", None),
        ] {
            assert_eq!(order(sort, KNOWN), Ok(expected), "{sort}");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_those_that_are_known() {
        for sort in ["size", "-", "--name", "name,size"] {
            let refusal = order(sort, KNOWN).expect_err(sort);
            assert_eq!(refusal.code, Code::BadRequest);
            assert!(refusal.message.contains("name, creation_time"), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_names_a_field_unless_it_names_none(
            text in "\\PC{0,40}",
            odd in "(-|,|_| |name|creation_time|CreationTime){0,6}",
        ) {
            for text in [text, odd] {
                if let Ok(found) = order(&text, KNOWN) {
                    prop_assert_eq!(found.is_none(), text.split(',').all(|field| field.trim().is_empty()));
                }
            }
        }
    }
}
