//! The project that a push goes into. Where pushes may make projects, one is made when the first thing lands in it: what is refused
//! before leaves nothing behind.

use berth_access::owner_of_new_project;
use berth_domain::{Action, Resource};
use berth_metadata::{Added, retry};
use berth_oci::{ProjectName, RepositoryName};

use crate::guarded::Guarded;
use crate::{Error, Result};

/// What a push finds where it wants to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The project is there.
    There,
    /// It is not, and the push may make it.
    ToBeMade,
}

impl Guarded<'_> {
    /// What there is for what is to be pushed. [`Error::ProjectUnknown`] if there is no project and the caller's pushes make none.
    pub(crate) async fn destination(&self, name: &RepositoryName) -> Result<Destination> {
        if self.registry.find(name).await?.is_some() {
            return Ok(Destination::There);
        }
        let ports = self.registry.ports();
        let project = name.project();
        let there = ports.metadata.project(&project).await?.is_some();
        let may_make = ports.access.may_create_by_push(self.caller).await?;
        match (there, may_make) {
            (true, false) => Ok(Destination::There),
            (true, true) => self.check_anew(name).await.and(Ok(Destination::There)),
            (false, true) => Ok(Destination::ToBeMade),
            (false, false) => Err(Error::ProjectUnknown(project)),
        }
    }

    /// Makes the project for what was pushed and will be refused no more: private, as if the caller had asked for it by the REST API.
    /// [`Error::ProjectUnknown`] if there is none and the caller's pushes make none any more.
    pub(crate) async fn make_project(&self, name: &RepositoryName) -> Result<()> {
        if self.destination(name).await? == Destination::There {
            return Ok(());
        }
        let project = name.project();
        if retry!(self.try_make_project(&project).await)? {
            self.registry.ports().access.forget_project(&project).await;
            return Ok(());
        }
        self.check_anew(name).await
    }

    /// Lets the caller pass who may push into a project that is there, and may have been let in because there was none: whoever makes
    /// one decides who may push into it.
    async fn check_anew(&self, name: &RepositoryName) -> Result<()> {
        self.registry.ports().access.forget_project(&name.project()).await;
        self.check(name, Resource::Repository, Action::Push).await
    }

    /// Whether it was made; if not, there is one by now.
    async fn try_make_project(&self, name: &ProjectName) -> Result<bool> {
        let (metadata, by) = (&self.registry.ports().metadata, &self.caller.actor);
        let owner = owner_of_new_project(metadata.as_ref(), by).await?;
        let mut tx = metadata.begin().await?;
        let added = tx.add_project(name, false, owner, None, by, self.registry.now()).await?;
        // Also if there was one: it may be that of a transaction which commits together with this one, and be seen by nobody yet.
        tx.commit().await?;
        Ok(matches!(added, Added::Added(_)))
    }
}
