//! Tables and properties of the routes.

use berth_oci::name::LONGEST_NAME;
use proptest::prelude::*;

use super::*;

const SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// The path of a route, as clients write it.
fn path(route: &Route) -> String {
    match route {
        Route::Base => "/v2/".to_owned(),
        Route::Catalog => "/v2/_catalog".to_owned(),
        Route::ExtensionsDiscover => "/v2/_oci/ext/discover".to_owned(),
        Route::RepositoryExtensions { repository } => format!("/v2/{repository}/_oci/ext/discover"),
        Route::Blob { repository, digest } => format!("/v2/{repository}/blobs/{digest}"),
        Route::Uploads { repository } => format!("/v2/{repository}/blobs/uploads/"),
        Route::Upload { repository, id } => format!("/v2/{repository}/blobs/uploads/{id}"),
        Route::Manifest { repository, reference } => format!("/v2/{repository}/manifests/{reference}"),
        Route::Tags { repository } => format!("/v2/{repository}/tags/list"),
        Route::Referrers { repository, subject } => format!("/v2/{repository}/referrers/{subject}"),
    }
}

/// Every route of a repository.
fn routes_of(repository: &RepositoryName, tag: &str) -> Vec<Route> {
    let digest: Digest = SHA256.parse().expect("a digest");
    let repository = || repository.clone();
    vec![
        Route::RepositoryExtensions { repository: repository() },
        Route::Blob { repository: repository(), digest },
        Route::Uploads { repository: repository() },
        Route::Upload { repository: repository(), id: ID.parse().expect("an id") },
        Route::Manifest { repository: repository(), reference: tag.parse().expect("a tag") },
        Route::Manifest { repository: repository(), reference: Reference::Digest(digest) },
        Route::Tags { repository: repository() },
        Route::Referrers { repository: repository(), subject: digest },
    ]
}

#[test]
fn paths_without_a_repository() {
    for route in [Route::Base, Route::Catalog, Route::ExtensionsDiscover] {
        assert_eq!(Route::parse(&path(&route)), Ok(route));
    }
    assert_eq!(Route::parse("/v2"), Ok(Route::Base));
}

#[test]
fn a_name_is_as_long_as_clients_can_write_it_on_every_path() {
    let longest = format!("library/{}", "a".repeat(LONGEST_NAME - "library/".len()));
    let repository: RepositoryName = longest.parse().expect("the longest name");
    for route in routes_of(&repository, "1") {
        let path = path(&route);
        assert_eq!(Route::parse(&path), Ok(route));
        let longer = path.replacen("/aa", "/aaa", 1);
        let refused = Route::parse(&longer).expect_err("too long");
        assert_eq!(refused, RouteError::Name(NameError::Long(LONGEST_NAME + 1)), "{longer}");
        assert!(refused.to_string().contains("255") && refused.to_string().contains("256"), "{refused}");
    }
}

#[test]
fn names_may_hold_the_words_of_the_api() {
    for text in [
        "library/hello",
        "a/b/c/d",
        "a/blobs/b",
        "a/manifests",
        "a/manifests/b",
        "a/referrers",
        "a/tags/list",
        "a/blobs/uploads",
        "manifests/latest",
        "tags/list",
        "blobs/uploads",
        "v2/v2",
        "ext/discover",
    ] {
        let repository = text.parse().expect(text);
        for route in routes_of(&repository, "list") {
            assert_eq!(Route::parse(&path(&route)), Ok(route), "{text}");
        }
    }
}

#[test]
fn other_spellings() {
    let repository: RepositoryName = "a/b".parse().expect("a name");
    assert_eq!(Route::parse("/v2/a/b/blobs/uploads"), Ok(Route::Uploads { repository: repository.clone() }));
    let digest = SHA256.parse().expect("a digest");
    for colon in ["%3A", "%3a"] {
        let escaped = format!("/v2/a/b/blobs/{}", SHA256.replace(':', colon));
        assert_eq!(Route::parse(&escaped), Ok(Route::Blob { repository: repository.clone(), digest }));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let blob = |path: &str| path.replace('@', SHA256);
    for nothing in [
        "",
        "/",
        "/v1/",
        "/v2x",
        "/v2//",
        "//v2/",
        "/v2/_catalog/",
        "/v2/x",
        "/v2/a/b",
        "/v2/a/b/tags",
        "/v2/a/b/tags/list/",
        "/v2/a/b/tags/list/x",
        "/v2/a/b/manifests",
        "/v2/a/b/manifests/latest/",
        "/v2/a/b/manifests%2Flatest",
        "/v2/a/b/blobs",
        "/v2/a/b/blobs/@/",
        "/v2/a/b/blobs/uploads//",
        "/v2/a/b/MANIFESTS/x",
        "/v2/../../etc/passwd",
        "/v2/manifests/latest",
    ] {
        assert_eq!(Route::parse(&blob(nothing)), Err(RouteError::Nothing), "{nothing}");
    }
    for bad_name in [
        "/v2//manifests/latest",
        "/v2/one/manifests/latest",
        "/v2//a/b/manifests/latest",
        "/v2/a//b/manifests/latest",
        "/v2/a/b//manifests/latest",
        "/v2/a/../b/manifests/latest",
        "/v2/a/./b/blobs/@",
        "/v2/a%2Fb/tags/list",
        "/v2/a%2fb/c/manifests/latest",
        "/v2/a/%2e%2e/b/tags/list",
        "/v2/a/b%00/tags/list",
        "/v2/A/b/tags/list",
        "/v2/a__b/c/tags/list",
        "/v2/a/b/blobs/uploads/blobs/@/tags/list",
        "/v2/_oci/x/tags/list",
    ] {
        assert!(matches!(Route::parse(&blob(bad_name)), Err(RouteError::Name(_))), "{bad_name}");
    }
    for bad_reference in
        ["/v2/a/b/manifests/", "/v2/a/b/manifests/.x", "/v2/a/b/manifests/%2e%2e", "/v2/a/b/manifests/a:b"]
    {
        assert!(matches!(Route::parse(bad_reference), Err(RouteError::Reference(_))), "{bad_reference}");
    }
    for bad_digest in
        ["/v2/a/b/blobs/", "/v2/a/b/blobs/latest", "/v2/a/b/referrers/latest", "/v2/a/b/blobs/sha256:x"]
    {
        assert!(matches!(Route::parse(bad_digest), Err(RouteError::Digest(_))), "{bad_digest}");
    }
    for bad_id in ["x", "{@}", "urn:uuid:@", "%7B@%7D", "@x"] {
        let path = format!("/v2/a/b/blobs/uploads/{}", bad_id.replace('@', ID));
        assert_eq!(Route::parse(&path), Err(RouteError::Upload), "{path}");
    }
}

#[test]
fn long_paths_are_short_work() {
    let long = format!("/v2/{}/manifests/latest", "a/".repeat(32 << 10));
    assert!(Route::parse(&long).is_err());
}

proptest! {
    #[test]
    fn every_route_is_read_back(
        text in "[a-z0-9]{1,8}(/(blobs|uploads|manifests|tags|list|referrers|[a-z0-9]{1,8}([._]|__|-{1,3})[a-z0-9]{1,8})){1,5}",
        tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}",
    ) {
        let repository: RepositoryName = text.parse().expect("a name");
        for route in routes_of(&repository, &tag) {
            prop_assert_eq!(Route::parse(&path(&route)), Ok(route));
        }
    }

    #[test]
    fn an_upload_has_one_name(number: u128) {
        let id = Uuid::from_u128(number);
        let parse = |id: &str| Route::parse(&format!("/v2/a/b/blobs/uploads/{id}"));
        let repository: RepositoryName = "a/b".parse().expect("a name");
        prop_assert_eq!(parse(&id.to_string()), Ok(Route::Upload { repository, id }));
        for other in [
            id.simple().to_string(),
            id.braced().to_string(),
            id.urn().to_string(),
            // Every id has a digit that has two cases, here.
            format!("{:X}", Uuid::from_u128(number | 0xa)),
        ] {
            prop_assert_eq!(parse(&other), Err(RouteError::Upload), "{}", other);
        }
    }

    #[test]
    fn what_is_read_is_written_the_same(
        text in prop_oneof![
            "/v2(/(a|b|blobs|uploads|manifests|tags|list|referrers|_oci|ext|discover|_catalog|latest|x_y|%2e|\\.\\.|)){0,6}",
            "/v2/a/b/blobs/uploads/(\\{|urn:uuid:)?[0-9a-fA-F]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\\}?",
            "\\PC{0,60}",
        ],
    ) {
        if let Ok(route) = Route::parse(&text) {
            let written = path(&route);
            prop_assert!(written == text || written.strip_suffix('/') == Some(&text));
            prop_assert!(!route.name().is_empty() && !route.allow().is_empty());
        }
    }
}
