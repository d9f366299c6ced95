//! Conditions on changing a tag: compare-and-swap by `If-Match` and `If-None-Match`.

use axum::http::HeaderMap;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use berth_http::EntityTags;
use berth_oci::Reference;
use berth_registry::Condition;

use crate::error::Error;

/// What must hold for a tag to change. A condition on anything but one tag is refused, for it would be ignored otherwise:
/// content does not change under its digest, and several tags have no one state.
pub(crate) fn of(headers: &HeaderMap, reference: &Reference, more_tags: bool) -> Result<Condition, Error> {
    let condition = match (EntityTags::of(headers, &IF_MATCH), EntityTags::of(headers, &IF_NONE_MATCH)) {
        (None, None) => return Ok(Condition::Anything),
        (Some(_), Some(_)) => {
            return Err(Error::Condition("send either If-Match or If-None-Match, not both"));
        }
        (Some(EntityTags::Any), None) => Condition::Present,
        // What is no digest cannot be what a tag names.
        (Some(tags), None) => Condition::OneOf(tags.strong().filter_map(|tag| tag.parse().ok()).collect()),
        (None, Some(EntityTags::Any)) => Condition::Absent,
        (None, Some(_)) => {
            return Err(Error::Condition("If-None-Match takes only * here: the tag must not exist yet"));
        }
    };
    if more_tags {
        return Err(Error::Condition("a condition is about one tag: leave ?tag= out"));
    }
    match reference {
        Reference::Tag(_) => Ok(condition),
        Reference::Digest(_) => {
            Err(Error::Condition("a digest always names the same content: put the condition on a tag"))
        }
    }
}

#[cfg(test)]
mod tests {
    use berth_oci::Digest;

    use super::*;

    fn read(name: &str, value: &str) -> Result<Condition, Error> {
        let mut headers = HeaderMap::new();
        headers
            .insert(axum::http::HeaderName::try_from(name).expect("a name"), value.parse().expect("a value"));
        of(&headers, &"v1".parse().expect("a tag"), false)
    }

    #[test]
    fn reads_every_form() {
        let digest = Digest::sha256(b"x");
        let one = Condition::OneOf(vec![digest]);
        assert_eq!(read("if-match", &format!("\"{digest}\"")).expect("valid"), one);
        assert_eq!(read("if-match", &digest.to_string()).expect("valid"), one);
        assert_eq!(read("if-match", "*").expect("valid"), Condition::Present);
        assert_eq!(read("if-match", &format!("W/\"{digest}\"")).expect("valid"), Condition::OneOf(vec![]));
        assert_eq!(read("if-none-match", "*").expect("valid"), Condition::Absent);
        assert!(read("if-none-match", &digest.to_string()).is_err());
        assert_eq!(read("accept", "*/*").expect("valid"), Condition::Anything);
    }

    #[test]
    fn refuses_what_would_be_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, "*".parse().expect("a value"));
        let tag = "v1".parse().expect("a tag");
        assert!(of(&headers, &tag, true).is_err());
        assert!(of(&headers, &Reference::Digest(Digest::sha256(b"x")), false).is_err());
        headers.insert(IF_NONE_MATCH, "*".parse().expect("a value"));
        assert!(of(&headers, &tag, false).is_err());
    }
}
