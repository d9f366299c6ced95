//! Who is let in: challenges, tokens, and what each caller may do.

use axum::body::Body;
use axum::http::header::WWW_AUTHENTICATE;
use berth_domain::RoleId;
use serde_json::Value;

use crate::house::{House, PASSWORD, Wishes, basic};

const CHALLENGE: &str =
    "Bearer realm=\"https://registry.example.org/service/token\",service=\"harbor-registry\"";

async fn closed() -> House {
    House::with(Wishes { create_on_push: false, ..Wishes::default() }).await
}

#[tokio::test]
async fn who_shows_nothing_is_told_where_to_get_a_token() {
    let house = closed().await;
    house.project("closed", false).await;
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (method, path, scope) in [
        ("GET", "/v2/".to_owned(), String::new()),
        ("GET", "/v2/closed/a/manifests/1".to_owned(), "repository:closed/a:pull".to_owned()),
        ("HEAD", format!("/v2/closed/a/blobs/{digest}"), "repository:closed/a:pull".to_owned()),
        ("GET", "/v2/nowhere/a/tags/list".to_owned(), "repository:nowhere/a:pull".to_owned()),
        ("PUT", "/v2/library/a/manifests/1".to_owned(), "repository:library/a:pull,push".to_owned()),
        ("DELETE", format!("/v2/library/a/manifests/{digest}"), "repository:library/a:delete".to_owned()),
        (
            "POST",
            format!("/v2/library/a/blobs/uploads/?mount={digest}&from=closed/b"),
            "repository:library/a:pull,push repository:closed/b:pull".to_owned(),
        ),
    ] {
        let answer = house.ask_as("", method, &path, &[], Body::empty()).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        let scope = if scope.is_empty() { scope } else { format!(",scope=\"{scope}\"") };
        assert_eq!(answer.header(WWW_AUTHENTICATE.as_str()), format!("{CHALLENGE}{scope}"));
    }
}

#[tokio::test]
async fn what_is_public_is_read_by_everyone_and_the_rest_by_nobody() {
    let house = closed().await;
    house.push_image("library/a", "1", "layer").await;
    assert_eq!(house.ask_as("", "GET", "/v2/library/a/manifests/1", &[], Body::empty()).await.status, 200);
    let anonymous = house.token("", &["repository:library/a:pull,push"]).await;
    let read = house.ask_as(&anonymous, "GET", "/v2/library/a/manifests/1", &[], Body::empty()).await;
    assert_eq!(read.status, 200);
    let push = house.ask_as(&anonymous, "POST", "/v2/library/a/blobs/uploads/", &[], Body::empty()).await;
    push.expect(401, "UNAUTHORIZED");
    assert_eq!(house.ask_as(&anonymous, "GET", "/v2/", &[], Body::empty()).await.status, 200);
}

/// A body that never comes, as slow clients send it.
fn never() -> Body {
    Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>())
}

#[tokio::test]
async fn rights_are_asked_before_a_body_is_waited_for() {
    let house = closed().await;
    for (method, path) in [
        ("PUT", "/v2/library/a/manifests/1"),
        (
            "POST",
            "/v2/library/a/blobs/uploads/?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ] {
        let answer = house.ask_as("", method, path, &[("content-length", "100000")], never()).await;
        answer.expect(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_token_grants_what_was_asked_and_is_permitted() {
    let house = closed().await;
    let project = house.project("team", false).await;
    let guest = house.user("guest").await;
    house.member(project, guest, RoleId::GUEST).await;
    house.push_image("team/a", "1", "layer").await;
    let path = "/service/token?service=harbor-registry&scope=repository:team/a:pull,push&scope=repository:other/b:pull";
    let answer = house.ask_as(&basic("guest", PASSWORD), "GET", path, &[], Body::empty()).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let said = answer.json();
    assert_eq!(said["token"], said["access_token"]);
    assert!(said["expires_in"].as_u64() >= Some(60) && said["refresh_token"].is_null());
    let token = format!("Bearer {}", said["token"].as_str().unwrap());
    assert_eq!(house.ask_as(&token, "GET", "/v2/team/a/manifests/1", &[], Body::empty()).await.status, 200);
    let push = house.ask_as(&token, "POST", "/v2/team/a/blobs/uploads/", &[], Body::empty()).await;
    push.expect(403, "DENIED");
    let other = house.ask_as(&token, "GET", "/v2/library/a/manifests/1", &[], Body::empty()).await;
    other.expect(401, "UNAUTHORIZED");
    assert!(other.header("www-authenticate").ends_with("error=\"insufficient_scope\""));
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_a_closed_project() {
    let house = closed().await;
    house.project("closed", false).await;
    house.user("stranger").await;
    house.push_image("closed/a", "1", "layer").await;
    let stranger = basic("stranger", PASSWORD);
    for path in ["/v2/closed/a/manifests/1", "/v2/closed/none/manifests/1", "/v2/nowhere/a/manifests/1"] {
        house.ask_as(&stranger, "GET", path, &[], Body::empty()).await.expect(403, "DENIED");
    }
    let catalog = house.ask_as(&stranger, "GET", "/v2/_catalog", &[], Body::empty()).await;
    assert_eq!(catalog.json()["repositories"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn knowing_a_digest_brings_no_content() {
    let house = closed().await;
    let (mine, theirs) = (house.project("mine", false).await, house.project("theirs", false).await);
    let user = house.user("me").await;
    house.member(mine, user, RoleId::DEVELOPER).await;
    let _ = theirs;
    let digest = house.push_blob("theirs/a", b"a secret of theirs").await;
    let me = basic("me", PASSWORD);
    for from in ["&from=theirs/a", ""] {
        let path = format!("/v2/mine/b/blobs/uploads/?mount={digest}{from}");
        assert_eq!(house.ask_as(&me, "POST", &path, &[], Body::empty()).await.status, 202, "{from}");
    }
    let head = house.ask_as(&me, "HEAD", &format!("/v2/mine/b/blobs/{digest}"), &[], Body::empty()).await;
    assert_eq!(head.status, 404);
}

#[tokio::test]
async fn a_mount_asks_for_both_scopes_once() {
    let house = closed().await;
    let (mine, _) = (house.project("mine", false).await, house.project("theirs", false).await);
    let user = house.user("me").await;
    house.member(mine, user, RoleId::DEVELOPER).await;
    let digest = house.push_blob("theirs/a", b"a secret of theirs").await;
    let path = format!("/v2/mine/b/blobs/uploads/?mount={digest}&from=theirs/a");
    let me = basic("me", PASSWORD);
    let token = house.token(&me, &["repository:mine/b:pull,push"]).await;
    let first = house.ask_as(&token, "POST", &path, &[], Body::empty()).await;
    first.expect(401, "UNAUTHORIZED");
    assert!(first.header("www-authenticate").contains(
        "scope=\"repository:mine/b:pull,push repository:theirs/a:pull\",error=\"insufficient_scope\""
    ));
    let both = house.token(&me, &["repository:mine/b:pull,push", "repository:theirs/a:pull"]).await;
    assert_eq!(house.ask_as(&both, "POST", &path, &[], Body::empty()).await.status, 202);
}

#[tokio::test]
async fn a_push_into_no_project_says_how_to_make_it() {
    let house = closed().await;
    let answer = house.ask("POST", "/v2/missing/a/blobs/uploads/", &[], Body::empty()).await;
    answer.expect(404, "NAME_UNKNOWN");
    assert!(answer.text().contains("POST /api/v2.0/projects"), "{}", answer.text());
    let open = House::open().await;
    open.push_image("made/a", "1", "layer").await;
    open.ask_as("", "GET", "/v2/made/a/manifests/1", &[], Body::empty()).await.expect(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn wrong_credentials_are_refused_everywhere() {
    let house = closed().await;
    house.push_image("library/a", "1", "layer").await;
    let wrong = basic("admin", "Wr0ng password");
    for (method, path) in [
        ("GET", "/v2/"),
        ("GET", "/v2/library/a/manifests/1"),
        ("GET", "/service/token?service=harbor-registry"),
    ] {
        let answer = house.ask_as(&wrong, method, path, &[], Body::empty()).await;
        answer.expect(401, "UNAUTHORIZED");
        assert!(answer.has("www-authenticate"));
    }
    for token in ["Bearer x", "Bearer e30.e30.", "Digest a", "Basic !"] {
        let answer = house.ask_as(token, "GET", "/v2/library/a/manifests/1", &[], Body::empty()).await;
        answer.expect(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn too_many_guesses_have_to_wait() {
    let house = closed().await;
    let (wrong, mut last) = (basic("nobody", "Wr0ng password"), 401);
    for _ in 0..20 {
        let answer = house.ask_as(&wrong, "GET", "/v2/", &[], Body::empty()).await;
        last = answer.status;
        if last == 429 {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn tokens_are_had_by_post_and_come_back_by_refresh() {
    let house = closed().await;
    let post = async |form: &str| {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        house.ask_as("", "POST", "/service/token", &kind, form.to_owned()).await
    };
    let password = "grant_type=password&service=harbor-registry&client_id=containerd&access_type=offline&username=admin&password=Passw0rd+of+everyone&scope=repository:library/a:pull,push";
    let answer = post(password).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = answer.json();
    assert_eq!(said["scope"], "repository:library/a:pull,push");
    let refresh = said["refresh_token"].as_str().expect("a refresh token");
    let form = format!(
        "grant_type=refresh_token&service=harbor-registry&refresh_token={refresh}&scope=repository:library/a:pull"
    );
    let again = post(&form).await;
    assert_eq!((again.status, &again.json()["scope"]), (200, &Value::from("repository:library/a:pull")));
    post("grant_type=refresh_token&service=harbor-registry&refresh_token=nonsense")
        .await
        .expect(401, "UNAUTHORIZED");
    post("grant_type=magic&service=harbor-registry").await.expect(400, "UNSUPPORTED");
    post("grant_type=password&service=elsewhere&username=a&password=b").await.expect(400, "UNSUPPORTED");
    post(&"x".repeat(1 << 20)).await.expect(400, "UNSUPPORTED");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_with_what_to_do() {
    let house = closed().await;
    let ours = "service=harbor-registry";
    for (form, words) in [
        ("grant_type=password".to_owned(), "service=harbor-registry only: ask with that"),
        (ours.to_owned(), "grant_type must be password or refresh_token"),
        (format!("{ours}&grant_type=magic"), "grant_type must be password or refresh_token"),
        (format!("{ours}&grant_type=password&username=admin"), "needs username and password: send both"),
        (format!("{ours}&grant_type=password&password=x"), "needs username and password: send both"),
        (format!("{ours}&grant_type=refresh_token"), "send the one that you have, or a password"),
        ("x".repeat(200 << 10), "ask for fewer scopes at once"),
    ] {
        let refused = house.ask_as("", "POST", "/service/token", &[], form).await;
        refused.expect(400, "UNSUPPORTED");
        assert!(refused.text().contains(words), "{}", refused.text());
    }
    let latin = house.ask_as("", "POST", "/service/token", &[], vec![b's', 0xe9]).await;
    latin.expect(400, "UNSUPPORTED");
    assert!(latin.text().contains("encode it so"), "{}", latin.text());
    for (header, words) in [
        ("Digest a", "use Basic or Bearer"),
        ("Bearer", "use Basic or Bearer"),
        ("Basic !", "encode name:secret in base64"),
    ] {
        let refused = house.ask_as(header, "GET", "/v2/", &[], Body::empty()).await;
        refused.expect(401, "UNAUTHORIZED");
        assert!(refused.text().contains(words), "{header}: {}", refused.text());
    }
    let nobody = house.ask_as("", "GET", "/v2/", &[], Body::empty()).await;
    assert!(nobody.text().contains("log in, or get a token"), "{}", nobody.text());
}

#[tokio::test]
async fn odd_scopes_are_refused_or_grant_nothing() {
    let house = closed().await;
    let admin = basic("admin", PASSWORD);
    let ask = async |query: &str| {
        let path = format!("/service/token?service=harbor-registry{query}");
        house.ask_as(&admin, "GET", &path, &[], Body::empty()).await
    };
    assert_eq!(ask("").await.status, 200, "docker login asks for nothing");
    assert_eq!(ask("&scope=repository(plugin):library/a:pull").await.status, 200);
    assert_eq!(ask("&scope=repository:library/a:pull%20registry:catalog:*").await.status, 200);
    assert_eq!(ask("&scope=teapot:library/a:brew").await.status, 200);
    ask("&scope=nonsense").await.expect(400, "UNSUPPORTED");
    ask(&"&scope=repository:a/b:pull".repeat(101)).await.expect(400, "UNSUPPORTED");
    let nobody = house.ask_as("", "GET", "/service/token?service=harbor-registry", &[], Body::empty()).await;
    nobody.expect(401, "UNAUTHORIZED");
    let elsewhere = house.ask_as(&admin, "GET", "/service/token?service=other", &[], Body::empty()).await;
    elsewhere.expect(400, "UNSUPPORTED");
    let keys = house.ask_as("", "GET", "/service/jwks", &[], Body::empty()).await;
    assert!(keys.json()["keys"].as_array().is_some_and(|keys| !keys.is_empty()));
    house.ask_as("", "PUT", "/service/token", &[], Body::empty()).await.expect(405, "UNSUPPORTED");
    house.ask_as("", "GET", "/service/other", &[], Body::empty()).await.expect(404, "UNSUPPORTED");
}
