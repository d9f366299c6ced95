//! `GET /v2/_oci/ext/discover`: which extensions of the API there are (distribution-spec, "Extensions").

use axum::response::Response;
use berth_oci::RepositoryName;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

#[derive(Serialize)]
struct Extensions {
    extensions: &'static [Extension],
}

#[derive(Serialize)]
struct Extension {
    name: &'static str,
    description: &'static str,
    url: &'static str,
    endpoints: &'static [&'static str],
}

const SPEC: &str = "https://github.com/opencontainers/distribution-spec/tree/main/extensions";

const REGISTRY: &[Extension] = &[
    Extension {
        name: "_oci",
        description: "discovery of extensions",
        url: SPEC,
        endpoints: &["_oci/ext/discover"],
    },
    Extension {
        name: "_catalog",
        description: "list of repositories, paged by n and last",
        url: SPEC,
        endpoints: &["_catalog"],
    },
];

const REPOSITORY: &[Extension] = &[Extension {
    name: "_oci",
    description: "discovery of extensions",
    url: SPEC,
    endpoints: &["_oci/ext/discover"],
}];

/// The extensions of the registry.
pub(crate) fn discover() -> Response {
    answer::json(&Extensions { extensions: REGISTRY })
}

/// The extensions of one repository, if the caller may know of it.
pub(crate) async fn discover_in(call: &Call<'_>, repository: &RepositoryName) -> Result<Response, Error> {
    call.registry.tags(repository, None, 1).await?;
    Ok(answer::json(&Extensions { extensions: REPOSITORY }))
}
