//! `Accept` on manifests, as Docker's old and new clients need it.
//!
//! Nothing is ever converted: a manifest is served as it was pushed or not at all. A client that lists media types and leaves
//! out OCI's or Docker's lists is one that would misread them, so it gets 404 with a reason, and a Docker client goes on from
//! there. Everything else is served whatever the list says: Docker's schema 2 image manifest, which every client reads since
//! 2016 and which scripts ask for with `Accept: application/json`; and types that no client lists by default, whose readers ask
//! with the list they always send.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use berth_oci::media_type::{DOCKER_LIST, OCI_INDEX, OCI_MANIFEST};

/// Whether content of the type `stored` may be the answer. Weights (`q`) and other parameters are ignored.
pub(crate) fn takes(headers: &HeaderMap, stored: &str) -> bool {
    if !matches!(stored, OCI_MANIFEST | OCI_INDEX | DOCKER_LIST) {
        return true;
    }
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut listed = lines
        .flat_map(|line| line.split(','))
        .map(|entry| entry.split(';').next().unwrap_or_default().trim())
        .filter(|entry| !entry.is_empty())
        .peekable();
    listed.peek().is_none()
        || listed.any(|entry| matches!(entry, "*/*" | "application/*") || entry.eq_ignore_ascii_case(stored))
}

#[cfg(test)]
mod tests {
    use berth_oci::media_type::DOCKER_MANIFEST;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn understands_lists_wildcards_and_silence() {
        let accept = |lines: &[&str]| -> HeaderMap {
            lines.iter().map(|line| (ACCEPT, line.parse().expect("a header"))).collect()
        };
        let docker = format!("{DOCKER_MANIFEST}, {DOCKER_LIST};q=0.5");
        for (lines, stored, expected) in [
            (&[][..], OCI_INDEX, true),
            (&[""], OCI_INDEX, true),
            (&["*/*"], OCI_INDEX, true),
            (&["text/html, application/*;q=0.1"], OCI_MANIFEST, true),
            (&[DOCKER_MANIFEST, OCI_INDEX], OCI_INDEX, true),
            (&[&docker], DOCKER_LIST, true),
            (&[&docker], OCI_INDEX, false),
            (&[DOCKER_MANIFEST], DOCKER_LIST, false),
            (&["application/json"], OCI_MANIFEST, false),
            (&["application/json"], DOCKER_MANIFEST, true),
            (&[DOCKER_MANIFEST], "application/vnd.example+json", true),
        ] {
            assert_eq!(takes(&accept(lines), stored), expected, "{lines:?} {stored}");
        }
    }

    proptest! {
        #[test]
        fn what_is_listed_is_taken(before in "[a-z/;=*., ]{0,30}", after in "[a-z/;=*., ]{0,30}") {
            for stored in [OCI_MANIFEST, OCI_INDEX, DOCKER_LIST] {
                let mut headers = HeaderMap::new();
                let line = format!("{before},{stored};q=0.1,{after}");
                headers.insert(ACCEPT, line.parse().expect("a header"));
                prop_assert!(takes(&headers, stored));
            }
        }
    }
}
