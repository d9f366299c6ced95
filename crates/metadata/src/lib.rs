//! The port to the only authority: what exists, where its bytes lie, who did what.
//!
//! **How it is used.** Reads stand on their own ([`Metadata`]). Whatever changes something opens a [`Transaction`], does its
//! statements and commits as the visible last line; dropping it undoes all. No transaction waits for a body.
//!
//! **Invariants.** A committed transaction survives a loss of power. Within a transaction a row that was read by a `lock_…`
//! method stays as it was read until the end. Numbers are never used again. Times come back as they were given. Lists are in
//! byte order and are continued by key, never by offset. What is deleted is invisible to every method but
//! [`DeletionWrites::restore`], and can come back as it went. What an attempt of [`retry!`] ends with rests on nothing but what is
//! committed by then.
//!
//! **How to add one.** A noun has one file here and the same file in the adapter: a `…Reads` trait for what stands on its own, a
//! `…Writes` trait for what needs a transaction, and its part of the [`conformance`] suite, which runs on every database.
#![deny(missing_docs)]

pub mod attempts;
pub mod blob;
pub mod certain;
pub mod conformance;
pub mod deletion;
pub mod error;
pub mod group;
pub mod manifest;
pub mod member;
pub mod project;
pub mod project_page;
pub mod pull;
pub mod reference;
pub mod referrer;
pub mod refresh_token;
pub mod repository;
pub mod review;
pub mod robot;
pub mod role;
pub mod sealed_secret;
pub mod session;
pub mod setting;
pub mod signing_key;
pub mod standing;
pub mod sum;
pub mod tag;
pub mod upload;
pub mod user;
pub mod window;

use std::fmt;

use async_trait::async_trait;

pub use blob::{
    AddedBlob, Blob, BlobHolder, BlobReads, BlobState, BlobWrites, LinkPosition, LinkTarget, Place,
    StoredBlob,
};
pub use deletion::{Deletion, DeletionReads, DeletionWrites, RememberedDeletion, Restoration, Restored};
pub use error::Error;
pub use group::{GroupReads, GroupWrites};
pub use manifest::{
    AddedManifest, FoundManifest, ManifestPosition, ManifestReads, ManifestWrites, NewManifest,
    StoredManifest,
};
pub use member::{MemberReads, MemberWrites};
pub use project::{ProjectReads, ProjectWrites};
pub use project_page::ProjectPageReads;
pub use pull::{Pull, PullWrites};
pub use reference::{ManifestDifference, ReferenceReads, ReferenceWrites};
pub use referrer::{Referrer, ReferrerReads};
pub use refresh_token::{RefreshTokenReads, RefreshTokenWrites};
pub use repository::{CatalogScope, FoundRepository, RepositoryReads, RepositoryWrites};
pub use review::{Review, ReviewReads, ReviewSubject};
pub use robot::{RobotReads, RobotWrites};
pub use role::{RoleReads, RoleWrites};
pub use sealed_secret::SealedSecretWrites;
pub use session::{SessionReads, SessionWrites};
pub use setting::{SettingReads, SettingWrites};
pub use signing_key::{SigningKeyReads, SigningKeyWrites};
pub use standing::StandingReads;
pub use sum::{
    Derived, ProjectBlob, ProjectBlobPosition, ProjectBlobSums, ProjectBytes, RepositorySums, SumReads,
    SumWrites,
};
pub use tag::{Expected, TagChange, TagDelete, TagMove, TagPosition, TagReads, TagTarget, TagWrites};
pub use upload::{UploadReads, UploadSession, UploadWrites, Writer};
pub use user::{Added, UserReads, UserWrites};
pub use window::Window;

/// What a database call gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A database.
#[async_trait]
pub trait Metadata:
    ProjectReads
    + RepositoryReads
    + BlobReads
    + ManifestReads
    + ReferenceReads
    + ReferrerReads
    + TagReads
    + UploadReads
    + DeletionReads
    + ReviewReads
    + SumReads
    + SettingReads
    + UserReads
    + GroupReads
    + MemberReads
    + RoleReads
    + RobotReads
    + StandingReads
    + SigningKeyReads
    + SessionReads
    + RefreshTokenReads
    + ProjectPageReads
    + Send
    + Sync
    + fmt::Debug
{
    /// Opens a transaction for writing. In an attempt of [`retry!`](crate::retry) it may see what waits for a commit together with its
    /// own, and else only what is committed; see [`certain`].
    async fn begin(&self) -> Result<Box<dyn Transaction>>;

    /// Whether the database answers, and what is written to it would be kept; for readiness.
    async fn check(&self) -> Result<()>;

    /// Ends all connections when those who use one are done with it; what was committed to an embedded database is in its main file
    /// then, and nothing beside it. Later calls fail as unavailable. For the end of a process, which else may come before theirs.
    async fn close(&self);
}

/// One open transaction. Dropping it undoes everything.
#[async_trait]
pub trait Transaction:
    ProjectWrites
    + RepositoryWrites
    + BlobWrites
    + ManifestWrites
    + ReferenceWrites
    + TagWrites
    + UploadWrites
    + DeletionWrites
    + PullWrites
    + SumWrites
    + SettingWrites
    + UserWrites
    + GroupWrites
    + MemberWrites
    + RoleWrites
    + RobotWrites
    + SigningKeyWrites
    + SessionWrites
    + RefreshTokenWrites
    + SealedSecretWrites
    + Send
{
    /// Makes everything visible and durable at once.
    async fn commit(self: Box<Self>) -> Result<()>;
}
