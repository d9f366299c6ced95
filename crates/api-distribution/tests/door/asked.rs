//! A database that counts the questions it is asked, and answers them as it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use berth_domain::{
    DeletionId, GroupId, Member, MemberId, Project, ProjectId, Repository, RepositoryId, Robot, RobotId,
    Role, RoleId, Timestamp, User, UserGroup, UserId,
};
use berth_metadata::group::{GroupFilter, GroupOrder};
use berth_metadata::member::MemberOrder;
use berth_metadata::project_page::{ProjectFilter, ProjectOrder, ProjectPage};
use berth_metadata::refresh_token::RefreshToken;
use berth_metadata::robot::{RobotCredentials, RobotFilter, RobotOrder};
use berth_metadata::session::Session;
use berth_metadata::signing_key::StoredSigningKey;
use berth_metadata::standing::{RobotStanding, UserStanding};
use berth_metadata::user::{UserCredentials, UserFilter, UserOrder};
use berth_metadata::{
    Blob, BlobHolder, BlobReads, CatalogScope, DeletionReads, FoundManifest, FoundRepository, GroupReads,
    LinkPosition, LinkTarget, ManifestDifference, ManifestPosition, ManifestReads, MemberReads, Metadata,
    NewManifest, ProjectBlob, ProjectBlobPosition, ProjectBlobSums, ProjectBytes, ProjectPageReads,
    ProjectReads, ReferenceReads, Referrer, ReferrerReads, RefreshTokenReads, RememberedDeletion,
    RepositoryReads, RepositorySums, Result, Review, ReviewReads, RobotReads, RoleReads, SessionReads,
    SettingReads, SigningKeyReads, StandingReads, StoredBlob, StoredManifest, SumReads, TagChange,
    TagPosition, TagReads, TagTarget, Transaction, UploadReads, UploadSession, UserReads, Window,
};
use berth_metadata_sql::SqlMetadata;
use berth_oci::{Digest, ProjectName, RepositoryName, Tag};
use bytes::Bytes;
use uuid::Uuid;

/// The database and how often it was asked. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    real: SqlMetadata,
    questions: Arc<AtomicU64>,
}

impl Asked {
    pub(crate) fn of(real: SqlMetadata) -> Self {
        Self { real, questions: Arc::default() }
    }

    /// How many calls of the port there were, those that fail and transactions among them.
    pub(crate) fn questions(&self) -> u64 {
        self.questions.load(Ordering::SeqCst)
    }

    /// What answers the question that is counted by this.
    fn count(&self) -> &SqlMetadata {
        self.questions.fetch_add(1, Ordering::SeqCst);
        &self.real
    }
}

#[async_trait]
impl Metadata for Asked {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.count().begin().await
    }

    async fn check(&self) -> Result<()> {
        self.count().check().await
    }

    async fn close(&self) {
        self.real.close().await;
    }
}

/// Counts every call of these traits and hands it on.
macro_rules! hand_on {
    ($($port:ident { $(fn $question:ident($($name:ident: $kind:ty),*) -> $answer:ty;)* })*) => { $(
        #[async_trait]
        impl $port for Asked {
            $(async fn $question(&self, $($name: $kind),*) -> Result<$answer> {
                self.count().$question($($name),*).await
            })*
        }
    )* };
}

hand_on! {
    BlobReads {
        fn blob(repository: RepositoryId, digest: &Digest) -> Option<Blob>;
        fn known_blob(digest: &Digest) -> Option<Blob>;
        fn linked_sizes(repository: RepositoryId, digests: &[Digest]) -> Vec<Option<u64>>;
        fn had_since(repository: RepositoryId, since: &Digest, digests: &[Digest]) -> Vec<Digest>;
        fn blob_holders(digest: &Digest, limit: u32) -> Vec<BlobHolder>;
        fn blobs(after: Option<&Digest>, limit: u32) -> Vec<Blob>;
        fn stored_blobs(after: Option<&Digest>, limit: u32) -> Vec<StoredBlob>;
        fn link_targets(after: Option<&LinkPosition>, limit: u32) -> Vec<(Repository, LinkTarget)>;
    }
    DeletionReads {
        fn deletion(id: DeletionId) -> Option<RememberedDeletion>;
    }
    GroupReads {
        fn group(id: GroupId) -> Option<UserGroup>;
        fn groups(filter: &GroupFilter, window: Window<GroupOrder>) -> Vec<UserGroup>;
        fn count_groups(filter: &GroupFilter) -> u64;
        fn groups_of(user: UserId) -> Vec<GroupId>;
    }
    ManifestReads {
        fn manifest_up_to(repository: RepositoryId, digest: &Digest, most: u64) -> Option<FoundManifest>;
        fn manifest_by_tag(repository: RepositoryId, tag: &Tag, most: u64) -> Option<FoundManifest>;
        fn manifest_sizes(repository: RepositoryId, digests: &[Digest]) -> Vec<Option<u64>>;
        fn manifests(after: Option<&ManifestPosition>, limit: u32) -> Vec<(Repository, StoredManifest)>;
    }
    MemberReads {
        fn member(project: ProjectId, id: MemberId) -> Option<Member>;
        fn members(project: ProjectId, name_like: Option<&str>, window: Window<MemberOrder>) -> Vec<Member>;
        fn count_members(project: ProjectId, name_like: Option<&str>) -> u64;
        fn count_members_by_role(project: ProjectId) -> Vec<(RoleId, u64)>;
        fn roles_of(user: UserId, project: ProjectId) -> Vec<RoleId>;
        fn projects_of(user: UserId) -> Vec<(ProjectId, RoleId)>;
    }
    ProjectReads {
        fn project(name: &ProjectName) -> Option<Project>;
        fn project_by_id(id: ProjectId) -> Option<Project>;
        fn projects_named(names: &[ProjectName]) -> Vec<Project>;
        fn project_names(ids: &[ProjectId]) -> Vec<(ProjectId, ProjectName)>;
        fn project_usage(project: ProjectId) -> u64;
    }
    ProjectPageReads {
        fn project_page(id: ProjectId, viewer: Option<UserId>) -> Option<ProjectPage>;
        fn project_pages(filter: &ProjectFilter, viewer: Option<UserId>, window: Window<ProjectOrder>) -> Vec<ProjectPage>;
        fn count_projects(filter: &ProjectFilter) -> u64;
    }
    ReferenceReads {
        fn manifest_difference(repository: RepositoryId, manifest: &NewManifest<'_>) -> Option<ManifestDifference>;
    }
    ReferrerReads {
        fn referrers(
            repository: RepositoryId, subject: &Digest, artifact_type: Option<&str>, after: Option<i64>, limit: u32
        ) -> Vec<Referrer>;
        fn referrer_weights(
            repository: RepositoryId, subject: &Digest, artifact_type: Option<&str>, after: Option<i64>, limit: u32
        ) -> Vec<u64>;
    }
    RefreshTokenReads {
        fn refresh_token(hash: &[u8; 32]) -> Option<RefreshToken>;
    }
    RepositoryReads {
        fn repository(name: &RepositoryName) -> Option<Repository>;
        fn repositories(scope: &CatalogScope, after: Option<&str>, limit: u32) -> Vec<RepositoryName>;
        fn find_repositories(
            scope: &CatalogScope, within: &str, after: Option<&str>, limit: u32
        ) -> Vec<FoundRepository>;
    }
    ReviewReads {
        fn reviews(before: Timestamp, limit: u32) -> Vec<Review>;
    }
    RobotReads {
        fn robot(id: RobotId) -> Option<RobotCredentials>;
        fn robot_by_login(project: Option<&ProjectName>, name: &str) -> Option<RobotCredentials>;
        fn robots(filter: &RobotFilter, window: Window<RobotOrder>) -> Vec<Robot>;
        fn count_robots(filter: &RobotFilter) -> u64;
    }
    RoleReads {
        fn roles() -> Vec<Role>;
    }
    SessionReads {
        fn session(id_hash: &[u8; 32]) -> Option<Session>;
    }
    SettingReads {
        fn setting(name: &str) -> Option<Bytes>;
    }
    SigningKeyReads {
        fn signing_keys() -> Vec<StoredSigningKey>;
    }
    StandingReads {
        fn user_standing(user: UserId, project: Option<&ProjectName>) -> Option<UserStanding>;
        fn robot_standing(robot: RobotId) -> Option<RobotStanding>;
    }
    SumReads {
        fn repository_sums(after: Option<RepositoryId>, limit: u32) -> Vec<RepositorySums>;
        fn project_blobs(after: Option<&ProjectBlobPosition>, limit: u32) -> Vec<ProjectBlob>;
        fn project_blob(project: ProjectId, digest: &Digest) -> Option<ProjectBlobSums>;
        fn kept_bytes(after: Option<ProjectId>, limit: u32) -> Vec<(ProjectId, i64)>;
        fn project_bytes(project: ProjectId) -> Option<ProjectBytes>;
    }
    TagReads {
        fn tag(repository: RepositoryId, tag: &Tag) -> Option<Digest>;
        fn tags(repository: RepositoryId, after: Option<&str>, limit: u32) -> Vec<Tag>;
        fn tag_targets(after: Option<&TagPosition>, limit: u32) -> Vec<(Repository, TagTarget)>;
        fn tag_history(repository: RepositoryId, tag: &Tag, limit: u32) -> Vec<TagChange>;
    }
    UploadReads {
        fn upload(id: Uuid) -> Option<UploadSession>;
        fn expired_uploads(now: Timestamp, after: Option<(Timestamp, Uuid)>, limit: u32) -> Vec<UploadSession>;
        fn uploads(after: Option<Uuid>, limit: u32) -> Vec<UploadSession>;
    }
    UserReads {
        fn user(id: UserId) -> Option<User>;
        fn user_credentials(username: &str) -> Option<UserCredentials>;
        fn user_by_login(login: &str) -> Option<UserCredentials>;
        fn users(filter: &UserFilter, window: Window<UserOrder>) -> Vec<User>;
        fn count_users(filter: &UserFilter) -> u64;
        fn first_sysadmin() -> Option<UserId>;
    }
}
