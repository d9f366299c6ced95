//! The routes: one pure function from a path to what it names.
//!
//! Names of repositories contain slashes and may hold any word of the API (`a/blobs/b`, `a/manifests`, `a/tags/list`), so a path
//! is read from its right end: the last fixed words decide, and all before them is the name.

use berth_oci::digest::DigestError;
use berth_oci::name::NameError;
use berth_oci::reference::ReferenceError;
use berth_oci::{Digest, Reference, RepositoryName};
use uuid::Uuid;

/// What a path names. Which methods it takes is another matter ([`Route::allow`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`, end-1.
    Base,
    /// `/v2/_catalog`.
    Catalog,
    /// `/v2/_oci/ext/discover`.
    ExtensionsDiscover,
    /// `/v2/<name>/_oci/ext/discover`.
    RepositoryExtensions {
        /// The repository.
        repository: RepositoryName,
    },
    /// `/v2/<name>/blobs/<digest>`, end-2 and end-10.
    Blob {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// `/v2/<name>/blobs/uploads/`, end-4 and end-11.
    Uploads {
        /// The repository.
        repository: RepositoryName,
    },
    /// `/v2/<name>/blobs/uploads/<id>`, end-5, end-6, end-13 and end-14.
    Upload {
        /// The repository.
        repository: RepositoryName,
        /// The session.
        id: Uuid,
    },
    /// `/v2/<name>/manifests/<tag-or-digest>`, end-3, end-7 and end-9.
    Manifest {
        /// The repository.
        repository: RepositoryName,
        /// The manifest.
        reference: Reference,
    },
    /// `/v2/<name>/tags/list`, end-8.
    Tags {
        /// The repository.
        repository: RepositoryName,
    },
    /// `/v2/<name>/referrers/<digest>`, end-12.
    Referrers {
        /// The repository.
        repository: RepositoryName,
        /// The subject.
        subject: Digest,
    },
}

impl Route {
    /// Reads the path of a request, percent-encoded as it came. Nothing in a route needs escaping, so an escape is no part of any
    /// name; only the colon of a digest may be escaped, because some clients escape it.
    pub fn parse(path: &str) -> Result<Self, RouteError> {
        let rest = path.strip_prefix("/v2").ok_or(RouteError::Nothing)?;
        let rest = match rest {
            "" | "/" => return Ok(Self::Base),
            _ => rest.strip_prefix('/').ok_or(RouteError::Nothing)?,
        };
        match rest {
            "_catalog" => return Ok(Self::Catalog),
            "_oci/ext/discover" => return Ok(Self::ExtensionsDiscover),
            _ => {}
        }
        if let Some(name) = rest.strip_suffix("/_oci/ext/discover") {
            return Ok(Self::RepositoryExtensions { repository: name.parse()? });
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags { repository: name.parse()? });
        }
        let uploads = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads"));
        if let Some(name) = uploads {
            return Ok(Self::Uploads { repository: name.parse()? });
        }
        let (parent, last) = rest.rsplit_once('/').ok_or(RouteError::Nothing)?;
        Self::parse_last(parent, last)
    }

    /// Reads a path that ends with the name of one thing.
    fn parse_last(parent: &str, last: &str) -> Result<Self, RouteError> {
        if let Some(name) = parent.strip_suffix("/manifests") {
            let repository = name.parse()?;
            return Ok(Self::Manifest { repository, reference: with_colon(last).parse()? });
        }
        if let Some(name) = parent.strip_suffix("/blobs/uploads") {
            let repository = name.parse()?;
            let id = upload_id(last).ok_or(RouteError::Upload)?;
            return Ok(Self::Upload { repository, id });
        }
        if let Some(name) = parent.strip_suffix("/blobs") {
            let repository = name.parse()?;
            return Ok(Self::Blob { repository, digest: with_colon(last).parse()? });
        }
        if let Some(name) = parent.strip_suffix("/referrers") {
            let repository = name.parse()?;
            return Ok(Self::Referrers { repository, subject: with_colon(last).parse()? });
        }
        Err(RouteError::Nothing)
    }

    /// The route's name in the access log and in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Catalog => "catalog",
            Self::ExtensionsDiscover | Self::RepositoryExtensions { .. } => "extensions",
            Self::Blob { .. } => "blob",
            Self::Uploads { .. } => "uploads",
            Self::Upload { .. } => "upload",
            Self::Manifest { .. } => "manifest",
            Self::Tags { .. } => "tags",
            Self::Referrers { .. } => "referrers",
        }
    }

    /// The methods that the route takes, as `Allow` lists them.
    #[must_use]
    pub const fn allow(&self) -> &'static str {
        match self {
            Self::Base
            | Self::Catalog
            | Self::ExtensionsDiscover
            | Self::RepositoryExtensions { .. }
            | Self::Tags { .. }
            | Self::Referrers { .. } => "GET, HEAD",
            Self::Blob { .. } => "GET, HEAD, DELETE",
            Self::Uploads { .. } => "POST",
            Self::Upload { .. } => "GET, HEAD, PATCH, PUT, DELETE",
            Self::Manifest { .. } => "GET, HEAD, PUT, DELETE",
        }
    }
}

/// The id of an upload, if it is spelled as ids are given out: there are others, but one thing has one name here.
fn upload_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

/// The last part of a path with its first escaped colon as a colon.
fn with_colon(last: &str) -> std::borrow::Cow<'_, str> {
    match last.split_once("%3A").or_else(|| last.split_once("%3a")) {
        Some((algorithm, encoded)) => format!("{algorithm}:{encoded}").into(),
        None => last.into(),
    }
}

/// Why a path names nothing here; the words are for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The path has the form of no endpoint.
    #[error("nothing is here: see the endpoints of the OCI distribution-spec")]
    Nothing,
    /// The name of the repository is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The tag or digest of a manifest is none.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The id of the upload is none that was ever given out.
    #[error("the upload is unknown: start a new one with POST")]
    Upload,
}

#[cfg(test)]
mod tests;
