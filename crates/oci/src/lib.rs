//! The words of OCI: everything that names or describes content, parsed once at the edge.
//!
//! Past this crate there are no strings: a [`RepositoryName`] is valid, a [`Digest`] has the length its algorithm demands, a
//! [`Tag`] is a tag. Nothing here does I/O.
//!
//! Own types instead of `oci-spec`: a registry must accept manifests that `oci-spec` refuses (unknown fields and media types,
//! indexes whose entries are layers, missing configs) and must return them bit for bit, so it reads only what it needs.
#![deny(missing_docs)]

pub mod descriptor;
pub mod digest;
pub mod error_code;
pub mod hasher;
pub mod manifest;
pub mod media_type;
pub mod name;
#[cfg(test)]
mod properties;
pub mod range;
pub mod reference;
pub mod tag;

pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest};
pub use error_code::ErrorCode;
pub use hasher::Hasher;
pub use manifest::{Manifest, ManifestKind};
pub use media_type::MediaType;
pub use name::{ProjectName, RepositoryName};
pub use range::ByteRange;
pub use reference::Reference;
pub use tag::Tag;
