//! Push of blobs in every way, and every way of getting it wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use berth_access::freshness::BELIEVED;
use berth_domain::{ProjectId, RoleId};
use berth_metadata::Window;
use berth_metadata::member::MemberOrder;
use berth_oci::{Algorithm, Digest};
use berth_testkit::TestClock;
use bytes::Bytes;
use futures::future::join;
use futures::{StreamExt, stream};
use tokio::sync::oneshot;

use crate::house::{Answer, House, PASSWORD, Wishes, basic, with};

const REPOSITORY: &str = "library/uploads";

fn range_of(headers: &HeaderMap) -> &str {
    headers["range"].to_str().expect("text")
}

/// Sends a chunk that says where it belongs.
async fn chunk(house: &House, method: &str, location: &str, range: &str, content: &'static str) -> Answer {
    house.ask(method, location, &[("content-range", range)], content).await
}

async fn pulled(house: &House, digest: &Digest) -> Bytes {
    let answer = house.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.bytes().clone()
}

#[track_caller]
fn created(answer: &Answer, digest: &Digest) {
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), format!("/v2/{REPOSITORY}/blobs/{digest}"));
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert_eq!(answer.header("content-length"), "0");
}

#[tokio::test]
async fn with_one_request() {
    let house = House::open().await;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for content in [Vec::new(), vec![7], vec![7; 200_000]] {
            let digest = Digest::of(algorithm, &content);
            let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
            created(&house.ask("POST", &path, &[], content.clone()).await, &digest);
            assert_eq!(pulled(&house, &digest).await, content);
        }
    }
}

#[tokio::test]
async fn with_post_and_put() {
    let house = House::open().await;
    for query in ["", "?digest-algorithm=sha256", "?digest-algorithm=sha512"] {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let started = house
                .ask("POST", &format!("/v2/{REPOSITORY}/blobs/uploads/{query}"), &[], Body::empty())
                .await;
            assert_eq!(started.status, 202);
            assert_eq!(started.header("range"), "0-0");
            assert_eq!(started.header("content-length"), "0");
            let id = started.header("docker-upload-uuid");
            let location = started.header("location");
            assert!(location.starts_with(&format!("/v2/{REPOSITORY}/blobs/uploads/{id}")), "{location}");
            let content = format!("{query}{algorithm}");
            let digest = Digest::of(algorithm, content.as_bytes());
            let answer =
                house.ask("PUT", &with(location, &format!("digest={digest}")), &[], content.clone()).await;
            created(&answer, &digest);
            assert_eq!(pulled(&house, &digest).await, content);
        }
    }
}

#[tokio::test]
async fn in_chunks() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    let first = chunk(&house, "PATCH", &start, "0-4", "01234").await;
    assert_eq!((first.status, first.header("range")), (202, "0-4"));
    assert_eq!(first.header("content-length"), "0");
    let location = first.header("location");
    let status = house.get(location).await;
    assert_eq!((status.status, status.header("range")), (204, "0-4"));
    assert_eq!(status.header("docker-upload-uuid"), first.header("docker-upload-uuid"));
    let second = chunk(&house, "PATCH", status.header("location"), "5-5", "5").await;
    assert_eq!(second.header("range"), "0-5");
    let digest = Digest::sha256(b"0123456789");
    let closing = with(second.header("location"), &format!("digest={digest}"));
    created(&chunk(&house, "PUT", &closing, "6-9", "6789").await, &digest);
    assert_eq!(pulled(&house, &digest).await, "0123456789");
    house.get(second.header("location")).await.expect(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn as_a_stream() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    let content: Vec<u8> =
        (0..1000_u32).flat_map(|number| vec![u8::try_from(number % 251).expect("small"); 333]).collect();
    let pieces: Vec<Bytes> = content.chunks(777).map(Bytes::copy_from_slice).collect();
    let body = Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)));
    let streamed = house.ask("PATCH", &start, &[], body).await;
    assert_eq!((streamed.status, streamed.header("range")), (202, "0-332999"));
    let digest = Digest::sha256(&content);
    let closing = with(streamed.header("location"), &format!("digest={digest}"));
    created(&house.ask("PUT", &closing, &[], Body::empty()).await, &digest);
    assert_eq!(pulled(&house, &digest).await, content);
}

/// Whoever may not push any more when the rest of a body comes has pushed nothing: not in memory, not in storage, not by closing.
#[tokio::test]
async fn with_a_right_that_goes_while_the_body_is_under_way() {
    for (size, closes) in [(20, false), (3_000_000, false), (20, true), (3_000_000, true)] {
        let clock = TestClock::new();
        let house = House::with(Wishes { clock: Arc::<TestClock>::clone(&clock), ..Wishes::default() }).await;
        let (project, jane) = (house.project("team", false).await, house.user("jane").await);
        house.member(project, jane, RoleId::DEVELOPER).await;
        let who = basic("jane", PASSWORD);
        let content = Bytes::from(vec![7; size]);
        let digest = Digest::sha256(&content);
        let uploads = "/v2/team/image/blobs/uploads/";
        let (method, path) = if closes {
            let start = house.ask_as(&who, "POST", uploads, &[], Body::empty()).await;
            ("PUT", with(start.header("location"), &format!("digest={digest}")))
        } else {
            ("POST", format!("{uploads}?digest={digest}"))
        };
        let members = Window { order: MemberOrder::Id, descending: false, offset: 0, limit: 10 };
        let members = house.metadata.members(project, Some("jane"), members).await.expect("members");
        let (metadata, member, rest) =
            (Arc::clone(&house.metadata), members[0].id, content.slice(size / 2..));
        let removed = stream::once(async move {
            let mut tx = metadata.begin().await.expect("a transaction");
            assert!(tx.remove_member(project, member).await.expect("an answer"));
            tx.commit().await.expect("a commit");
            clock.advance(BELIEVED);
            Ok(rest)
        });
        let begun = stream::iter([Ok::<_, std::io::Error>(content.slice(..size / 2))]);
        let answer = house.ask_as(&who, method, &path, &[], Body::from_stream(begun.chain(removed))).await;
        answer.expect(403, "DENIED");
        let blob = house.head(&format!("/v2/team/image/blobs/{digest}")).await;
        assert_eq!(blob.status, 404, "{size} {closes}");
    }
}

/// A chunk that does not continue the upload is refused, wherever it is sent, and the upload goes on.
#[tokio::test]
async fn out_of_order() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    let first = chunk(&house, "PATCH", &start, "0-4", "01234").await;
    let location = first.header("location").to_owned();
    let digest = Digest::sha256(b"0123456789");
    let closing = with(&location, &format!("digest={digest}"));
    for (method, path, range) in [
        ("PATCH", &location, "0-4"),
        ("PATCH", &location, "3-7"),
        ("PATCH", &location, "6-10"),
        ("PUT", &closing, "0-4"),
        ("PUT", &closing, "7-11"),
    ] {
        let refused = chunk(&house, method, path, range, "56789").await;
        refused.expect(416, "RANGE_INVALID");
        assert_eq!(range_of(&refused.headers), "0-4", "{method} {range}");
        assert_eq!(refused.header("docker-upload-uuid"), first.header("docker-upload-uuid"));
        assert!(refused.has("location"));
    }
    for (range, status, code) in [
        ("5-", 416, "RANGE_INVALID"),
        ("9-5", 416, "RANGE_INVALID"),
        ("x", 416, "RANGE_INVALID"),
        ("5-6", 400, "SIZE_INVALID"),
    ] {
        chunk(&house, "PATCH", &location, range, "56789").await.expect(status, code);
    }
    let status = house.get(&location).await;
    assert_eq!((status.status, status.header("range")), (204, "0-4"));
    created(&chunk(&house, "PUT", &closing, "5-9", "56789").await, &digest);
    assert_eq!(pulled(&house, &digest).await, "0123456789");
}

/// Whoever comes while another client sends is told how far the upload is, and the other one goes on.
#[tokio::test]
async fn beside_a_client_that_is_sending() {
    let house = House::with(Wishes { body_timeout: Duration::from_mins(5), ..Wishes::default() }).await;
    let patched = chunk(&house, "PATCH", &house.start(REPOSITORY).await, "0-4", "01234").await;
    let (location, id) = (patched.header("location").to_owned(), patched.header("docker-upload-uuid"));
    let digest = Digest::sha256(b"0123456789");
    let closing = with(&location, &format!("digest={digest}"));
    let ((begun, has_begun), (go_on, may_go_on)) = (oneshot::channel(), oneshot::channel());
    // Nobody asks for this before the first piece was taken.
    let rest = stream::once(async move {
        begun.send(()).expect("the others wait");
        may_go_on.await.expect("it is told to go on");
        Ok("789")
    });
    let body = Body::from_stream(stream::iter([Ok::<_, std::io::Error>("56")]).chain(rest));
    let first = house.ask("PATCH", &location, &[], body);
    let others = async {
        has_begun.await.expect("it begins");
        for (method, path, fields, content) in [
            ("PATCH", &location, &[][..], "56789"),
            ("PATCH", &location, &[("content-range", "5-9")], "56789"),
            ("PUT", &closing, &[("content-range", "5-9")], "56789"),
            ("PUT", &closing, &[], "56789"),
            ("PUT", &closing, &[], ""),
        ] {
            let refused = house.ask(method, path, fields, content).await;
            refused.expect(416, "RANGE_INVALID");
            // What the first one brought meanwhile is not durable yet.
            assert_eq!(refused.header("range"), "0-4", "{method} {fields:?} {content}");
            assert_eq!(refused.json()["errors"][0]["detail"]["offset"], 5);
            assert_eq!(refused.header("location"), location);
            assert_eq!(refused.header("docker-upload-uuid"), id);
        }
        let status = house.get(&location).await;
        assert_eq!((status.status, status.header("range")), (204, "0-4"));
        go_on.send(()).expect("it waits");
    };
    let (first, ()) = join(first, others).await;
    assert_eq!((first.status, first.header("range")), (202, "0-9"));
    created(&house.ask("PUT", &closing, &[], Body::empty()).await, &digest);
    assert_eq!(pulled(&house, &digest).await, "0123456789");
}

#[tokio::test]
async fn a_fresh_upload_can_be_asked_and_cancelled() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    let status = house.get(&start).await;
    assert_eq!((status.status, status.header("range")), (204, "0-0"));
    let cancelled = house.delete(&start).await;
    assert_eq!(cancelled.status, 204);
    assert!(!cancelled.has("content-length"));
    let start = house.start(REPOSITORY).await;
    let location = chunk(&house, "PATCH", &start, "0-4", "01234").await.header("location").to_owned();
    assert_eq!(house.delete(&location).await.status, 204);
    house.get(&location).await.expect(404, "BLOB_UPLOAD_UNKNOWN");
    house.delete(&location).await.expect(404, "BLOB_UPLOAD_UNKNOWN");
}

/// Wrong content is refused at every kind of closing, and nothing of it can be pulled.
#[tokio::test]
async fn other_content_than_the_digest_names() {
    let house = House::open().await;
    let (right, wrong) = (Digest::sha256(b"right"), Digest::of(Algorithm::Sha512, b"right"));
    for digest in [right, wrong] {
        let post = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        let refused = house.ask("POST", &post, &[], "wrong").await;
        refused.expect(400, "DIGEST_INVALID");
        let put = with(&house.start(REPOSITORY).await, &format!("digest={digest}"));
        house.ask("PUT", &put, &[], "wrong").await.expect(400, "DIGEST_INVALID");
        let start = house.start(REPOSITORY).await;
        let location = chunk(&house, "PATCH", &start, "0-4", "wrong").await.header("location").to_owned();
        let closing = with(&location, &format!("digest={digest}"));
        house.ask("PUT", &closing, &[], Body::empty()).await.expect(400, "DIGEST_INVALID");
        let answer = house.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await;
        assert_eq!(answer.status, 404);
    }
    let post = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={right}");
    insta::assert_snapshot!("digest_mismatch", house.ask("POST", &post, &[], "wrong").await.text());
}

#[tokio::test]
async fn malformed_digests() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    house.ask("PUT", &start, &[], "x").await.expect(400, "DIGEST_INVALID");
    for bad in [
        "",
        "sha256:baddigeststring",
        "sha1:aa",
        "md5",
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    ] {
        let query = format!("digest={bad}");
        house.ask("PUT", &with(&start, &query), &[], "x").await.expect(400, "DIGEST_INVALID");
        let post = format!("/v2/{REPOSITORY}/blobs/uploads/?{query}");
        house.ask("POST", &post, &[], "x").await.expect(400, "DIGEST_INVALID");
        let mount = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={bad}");
        house.ask("POST", &mount, &[], Body::empty()).await.expect(400, "DIGEST_INVALID");
    }
    let unknown = format!("/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm=blake3");
    house.ask("POST", &unknown, &[], Body::empty()).await.expect(400, "DIGEST_INVALID");
}

#[tokio::test]
async fn sessions_that_are_not_the_clients() {
    let house = House::open().await;
    let unknown = format!("/v2/{REPOSITORY}/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8");
    let fresh = house.start(REPOSITORY).await;
    let (path, state) = fresh.split_once("?_state=").expect("a state");
    let flipped: String = state.chars().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    let (bare, forged) = (path.to_owned(), format!("{path}?_state={flipped}"));
    let garbage = format!("{path}?_state=%ff%00");
    let written = chunk(&house, "PATCH", &house.start(REPOSITORY).await, "0-1", "01").await;
    let written = written.header("location").to_owned();
    let [elsewhere, moved] =
        [&fresh, &written].map(|location| location.replace(REPOSITORY, "library/elsewhere"));
    // Also somebody who may push here has no part in another account's uploads.
    let jane = house.user("jane").await;
    house.member(ProjectId::LIBRARY, jane, RoleId::DEVELOPER).await;
    let (admin, jane) = (basic("admin", PASSWORD), basic("jane", PASSWORD));
    let ours = [&unknown, &bare, &forged, &garbage, &elsewhere, &moved].map(|location| (&admin, location));
    let theirs = [&fresh, &written].map(|location| (&jane, location));
    for (who, location) in ours.into_iter().chain(theirs) {
        let put = with(location, &format!("digest={}", Digest::sha256(b"x")));
        for (method, path, fields, content) in [
            ("GET", location, &[][..], ""),
            ("PATCH", location, &[("content-range", "2-3")], "23"),
            ("PUT", &put, &[], "x"),
            ("DELETE", location, &[], ""),
        ] {
            house.ask_as(who, method, path, fields, content).await.expect(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    // The uploads themselves are as they were.
    for (location, range, rest, whole) in [(&fresh, "0-0", "x", "x"), (&written, "0-1", "23", "0123")] {
        let status = house.get(location).await;
        assert_eq!((status.status, status.header("range")), (204, range));
        let digest = Digest::sha256(whole.as_bytes());
        created(&house.ask("PUT", &with(location, &format!("digest={digest}")), &[], rest).await, &digest);
        assert_eq!(pulled(&house, &digest).await, whole);
    }
}

#[tokio::test]
async fn bodies_that_are_not_as_long_as_they_say() {
    let house = House::open().await;
    let digest = Digest::sha256(b"12345");
    for length in ["4", "6"] {
        let post = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        let body = || Body::from_stream(stream::iter([Ok::<_, std::io::Error>("12345")]));
        let refused = house.ask("POST", &post, &[("content-length", length)], body()).await;
        refused.expect(400, "SIZE_INVALID");
        let start = house.start(REPOSITORY).await;
        let refused = house.ask("PATCH", &start, &[("content-length", length)], body()).await;
        refused.expect(400, "SIZE_INVALID");
    }
    assert_eq!(house.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.status, 404);
}

/// What came before the client went away is kept, and the upload goes on from there.
#[tokio::test]
async fn a_client_that_goes_away_can_come_back() {
    let house = House::open().await;
    let start = house.start(REPOSITORY).await;
    let gone = stream::iter([Ok("01234"), Err(std::io::Error::other("reset"))]);
    let broken = house.ask("PATCH", &start, &[], Body::from_stream(gone)).await;
    broken.expect(400, "SIZE_INVALID");
    let still = stream::iter([Ok::<_, std::io::Error>("56")]).chain(stream::pending());
    let status = house.get(&start).await;
    assert_eq!(status.header("range"), "0-4");
    let stalled = house.ask("PATCH", status.header("location"), &[], Body::from_stream(still)).await;
    stalled.expect(408, "SIZE_INVALID");
    let status = house.get(status.header("location")).await;
    assert_eq!((status.status, status.header("range")), (204, "0-6"));
    let digest = Digest::sha256(b"0123456789");
    let closing = with(status.header("location"), &format!("digest={digest}"));
    created(&chunk(&house, "PUT", &closing, "7-9", "789").await, &digest);
    assert_eq!(pulled(&house, &digest).await, "0123456789");
}

#[tokio::test]
async fn mounts() {
    let house = House::open().await;
    let digest = house.push_blob("library/source", b"mounted").await;
    let mount = |query: String| {
        let path = format!("/v2/{REPOSITORY}/blobs/uploads/?{query}");
        let house = &house;
        async move { house.ask("POST", &path, &[], Body::empty()).await }
    };
    let nowhere = Digest::sha256(b"nowhere");
    for query in [
        format!("mount={nowhere}&from=library/source"),
        format!("mount={digest}&from=library/none"),
        format!("mount={digest}&from=one"),
        format!("mount={nowhere}"),
    ] {
        let answer = mount(query).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert!(answer.has("docker-upload-uuid") && answer.has("location"));
    }
    created(&mount(format!("mount={digest}&from=library/source")).await, &digest);
    assert_eq!(pulled(&house, &digest).await, "mounted");
    let other = house.push_blob("library/source", b"anonymous").await;
    created(&mount(format!("mount={other}")).await, &other);
}

#[tokio::test]
async fn too_many_at_once_are_asked_to_come_back() {
    let house = House::with(Wishes { concurrent_uploads: 0, ..Wishes::default() }).await;
    let start = house.start(REPOSITORY).await;
    let digest = Digest::sha256(b"x");
    for (method, path) in [
        ("POST", format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}")),
        ("PATCH", start.clone()),
        ("PUT", with(&start, &format!("digest={digest}"))),
        ("PUT", format!("/v2/{REPOSITORY}/manifests/1")),
    ] {
        let answer = house.ask(method, &path, &[], "x").await;
        answer.expect(429, "TOOMANYREQUESTS");
        assert!(answer.header("retry-after").parse::<u32>().is_ok());
    }
    let empty = Digest::sha256(b"");
    let closing = with(&start, &format!("digest={empty}"));
    created(&house.ask("PUT", &closing, &[("content-length", "0")], Body::empty()).await, &empty);
}

#[tokio::test]
async fn in_chunks_of_one_byte() {
    let house = House::open().await;
    let mut location = house.start(REPOSITORY).await;
    let content = "berth".repeat(20);
    for (at, byte) in content.chars().enumerate() {
        let range = format!("{at}-{at}");
        let answer = house.ask("PATCH", &location, &[("content-range", &range)], byte.to_string()).await;
        assert_eq!((answer.status, answer.header("range")), (202, format!("0-{at}").as_str()));
        answer.header("location").clone_into(&mut location);
    }
    let digest = Digest::sha256(content.as_bytes());
    created(
        &house.ask("PUT", &with(&location, &format!("digest={digest}")), &[], Body::empty()).await,
        &digest,
    );
    assert_eq!(pulled(&house, &digest).await, content);
}
