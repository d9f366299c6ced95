//! Entity tags in conditions (RFC 9110 §8.8.3 and §13.1); quotes may be left out, because scripts leave them out.

use axum::http::{HeaderMap, HeaderName};

/// What an `If-Match` or `If-None-Match` header lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags<'a> {
    /// `*`: whatever exists.
    Any,
    /// These, weak ones marked.
    Listed(Vec<EntityTag<'a>>),
}

/// One entity tag, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    weak: bool,
    opaque: &'a str,
}

impl<'a> EntityTags<'a> {
    /// Reads every line of the header `name`; `None` if there is none. A line that is not text lists nothing.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).iter().peekable();
        lines.peek()?;
        let texts = lines.filter_map(|line| line.to_str().ok());
        let entries = texts.flat_map(|line| line.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
        let mut tags = Vec::new();
        for entry in entries {
            if entry == "*" {
                return Some(Self::Any);
            }
            tags.push(EntityTag::parse(entry));
        }
        Some(Self::Listed(tags))
    }

    /// Whether the current tag is listed; a weak one never matches here (`If-Match`).
    #[must_use]
    pub fn match_strongly(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(_) => self.strong().any(|tag| tag == current),
        }
    }

    /// Whether the current tag is listed, weak or not (`If-None-Match`).
    #[must_use]
    pub fn match_weakly(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| tag.opaque == current),
        }
    }

    /// The tags that are not weak, without quotes.
    pub fn strong(&self) -> impl Iterator<Item = &'a str> {
        let listed = match self {
            Self::Any => &[][..],
            Self::Listed(tags) => tags,
        };
        listed.iter().filter(|tag| !tag.weak).map(|tag| tag.opaque)
    }
}

impl<'a> EntityTag<'a> {
    fn parse(text: &'a str) -> Self {
        let (weak, quoted) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
        let bare = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self { weak, opaque: bare.unwrap_or(quoted) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_MATCH;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (IF_MATCH, line.parse().expect("a header"))).collect()
    }

    #[test]
    fn reads_quoted_bare_weak_and_any() {
        assert_eq!(EntityTags::of(&HeaderMap::new(), &IF_MATCH), None);
        let several = headers(&["\"a\", W/\"b\"", "c"]);
        let tags = EntityTags::of(&several, &IF_MATCH).expect("present");
        assert!(tags.match_strongly("a") && tags.match_strongly("c") && !tags.match_strongly("b"));
        assert!(tags.match_weakly("b") && !tags.match_weakly("d"));
        let any = headers(&["*"]);
        assert_eq!(EntityTags::of(&any, &IF_MATCH), Some(EntityTags::Any));
        let empty = headers(&[""]);
        assert!(!EntityTags::of(&empty, &IF_MATCH).expect("present").match_weakly(""));
    }

    proptest! {
        #[test]
        fn every_listed_tag_is_found(tags in prop::collection::vec("[a-z0-9:]{1,20}", 1..5), weak: bool, quoted: bool) {
            let prefix = if weak { "W/" } else { "" };
            let quote = if quoted { "\"" } else { "" };
            let line: Vec<String> = tags.iter().map(|tag| format!("{prefix}{quote}{tag}{quote}")).collect();
            let lines = headers(&[&line.join(" , ")]);
            let listed = EntityTags::of(&lines, &IF_MATCH).expect("present");
            for tag in &tags {
                prop_assert!(listed.match_weakly(tag));
                prop_assert_eq!(listed.match_strongly(tag), !weak);
            }
            prop_assert!(!listed.match_weakly("A tag that is not listed"));
        }

        #[test]
        fn no_line_panics(line in "[\\x20-\\x7e]{0,60}", odd in "[W/\",* a]{0,30}", current in "[W/\"* a]{0,3}") {
            for line in [line, odd] {
                let lines = headers(&[&line]);
                let tags = EntityTags::of(&lines, &IF_MATCH).expect("present");
                prop_assert!(!tags.match_strongly(&current) || tags.match_weakly(&current));
                prop_assert_eq!(tags == EntityTags::Any, line.split(',').any(|entry| entry.trim() == "*"));
            }
        }
    }
}
