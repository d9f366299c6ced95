//! `GET /v2/<name>/referrers/<digest>`: what is about a manifest, as an index (end-12).

use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::Response;
use berth_http::next_link;
use berth_oci::media_type::OCI_INDEX;
use berth_oci::{Digest, RepositoryName};
use berth_registry::{Page, Referrer};

use crate::answer::{self, FILTERS_APPLIED};
use crate::call::Call;
use crate::error::Error;

/// How many descriptors a page has at most.
const LARGEST: u32 = 1_000;
/// How many bytes a page has at most, unless its first descriptor alone has more: clients stop reading an index at 4 MiB.
const LONGEST: usize = 4 << 20;

/// One page in the order of pushing; empty for whatever is unknown.
pub(crate) async fn list(
    call: &Call<'_>,
    repository: &RepositoryName,
    subject: &Digest,
) -> Result<Response, Error> {
    let after =
        call.parameter("after").map(|text| text.parse()).transpose().map_err(|_| Error::PagePosition)?;
    let filter = call.parameter("artifactType").filter(|filter| !filter.is_empty());
    // No artifact type has a control character: the parser of manifests refuses it.
    let limit =
        if filter.as_ref().is_some_and(|filter| filter.contains(char::is_control)) { 0 } else { LARGEST };
    let possible = filter.as_deref().filter(|_| limit > 0);
    let page = call.registry.referrers(repository, subject, possible, after, limit).await?;
    let (index, last) = index(&page);
    let mut answer = answer::content(HeaderValue::from_static(OCI_INDEX), page.room.hold(index));
    if filter.is_some() {
        answer.headers_mut().insert(&FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let Some(position) = last {
        let position = position.to_string();
        let mut values = vec![("after", position.as_str())];
        values.extend(filter.as_deref().map(|filter| ("artifactType", filter)));
        answer
            .headers_mut()
            .insert(LINK, next_link(&format!("/v2/{repository}/referrers/{subject}"), &values));
    }
    Ok(answer)
}

/// The index of a page, and after which position it goes on, if it does.
fn index(page: &Page<Referrer>) -> (Vec<u8>, Option<i64>) {
    let mut index = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":["#).into_bytes();
    let mut last = None;
    let mut more = page.more;
    for referrer in &page.items {
        // Descriptors always serialise.
        let descriptor = serde_json::to_vec(&referrer.descriptor).unwrap_or_default();
        if last.is_some() {
            if index.len() + descriptor.len() + 3 > LONGEST {
                more = true;
                break;
            }
            index.push(b',');
        }
        index.extend_from_slice(&descriptor);
        last = Some(referrer.position);
    }
    index.extend_from_slice(b"]}");
    (index, last.filter(|_| more))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use berth_oci::Descriptor;
    use berth_oci::media_type::OCI_MANIFEST;
    use berth_registry::Room;

    use super::*;

    fn referrer(position: i64, annotation: usize) -> Referrer {
        let descriptor = Descriptor {
            media_type: OCI_MANIFEST.parse().expect("a media type"),
            digest: Digest::sha256(&position.to_le_bytes()),
            size: 2,
            artifact_type: Some("application/vnd.example+json".into()),
            annotations: Some(BTreeMap::from([("a".to_owned(), "x".repeat(annotation))])),
        };
        Referrer { position, descriptor }
    }

    fn page(items: Vec<Referrer>) -> Page<Referrer> {
        Page { items, more: false, room: Room::default() }
    }

    #[test]
    fn a_page_is_cut_where_clients_stop_reading() {
        let items = vec![referrer(1, 3 << 20), referrer(5, 10), referrer(9, 2 << 20)];
        let (bytes, next) = index(&page(items));
        assert!(bytes.len() <= LONGEST);
        assert_eq!(next, Some(5));
        let read: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(read["manifests"].as_array().map(Vec::len), Some(2));
        let (_, next) = index(&page(vec![referrer(1, 5 << 20)]));
        assert_eq!(next, None, "one that is too large alone still goes out");
        let (bytes, next) = index(&page(vec![]));
        assert_eq!(next, None);
        insta::assert_snapshot!(
            String::from_utf8(bytes).expect("text"),
            @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }
}
