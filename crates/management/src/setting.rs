//! A project's settings, one by one.

use berth_domain::{Action, Project, ProjectMetadataKey as Key, Resource};

use crate::guarded::Guarded;
use crate::{Error, ProjectRef, Result};
use berth_metadata::retry;

/// What a change expects of the setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    There,
    Missing,
}

impl Guarded<'_> {
    /// All settings of a project, `public` first.
    pub async fn settings(&self, named: &ProjectRef) -> Result<Vec<(Key, String)>> {
        let project = self.project_for(named, Resource::Metadata, Action::List).await?;
        self.settings_of(&project).await
    }

    /// One setting.
    pub async fn setting(&self, named: &ProjectRef, key: &str) -> Result<(Key, String)> {
        let project = self.project_for(named, Resource::Metadata, Action::Read).await?;
        let settings = self.settings_of(&project).await?;
        let found = settings.into_iter().find(|(known, _)| known.as_str() == key);
        found.ok_or_else(|| Error::not_found("metadata", &key))
    }

    /// Adds a setting that is not there yet.
    pub async fn add_setting(&self, named: &ProjectRef, key: &str, value: &str) -> Result<()> {
        let project = self.project_for(named, Resource::Metadata, Action::Create).await?;
        let key = Key::parse(key)?;
        let value = key.normalise(value)?;
        self.set(&project, key, Some(&value), Expected::Missing).await
    }

    /// Changes a setting that is there.
    pub async fn update_setting(&self, named: &ProjectRef, key: &str, value: &str) -> Result<()> {
        let project = self.project_for(named, Resource::Metadata, Action::Update).await?;
        let key = Key::parse(key)?;
        let value = key.normalise(value)?;
        self.set(&project, key, Some(&value), Expected::There).await
    }

    /// Takes a setting away. Without `public` a project is private, as in Harbor.
    pub async fn delete_setting(&self, named: &ProjectRef, key: &str) -> Result<()> {
        let project = self.project_for(named, Resource::Metadata, Action::Delete).await?;
        let key = Key::parse(key).map_err(|_| Error::not_found("metadata", &key))?;
        self.set(&project, key, None, Expected::There).await
    }

    async fn settings_of(&self, project: &Project) -> Result<Vec<(Key, String)>> {
        let page = self.metadata().project_page(project.id, None).await?;
        let page = page.ok_or_else(|| Error::not_found("project", &&project.name))?;
        let public = (Key::Public, page.project.public.to_string());
        Ok([public].into_iter().chain(page.metadata).collect())
    }

    async fn set(&self, project: &Project, key: Key, value: Option<&str>, expected: Expected) -> Result<()> {
        retry!(self.try_set(project, key, value, expected).await)?;
        self.management.parts().authority.forget_project(&project.name).await;
        Ok(())
    }

    async fn try_set(
        &self,
        project: &Project,
        key: Key,
        value: Option<&str>,
        expected: Expected,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        self.lock(tx.as_mut(), project).await?;
        let was_there = tx.set_project_metadata(project.id, key, value, self.management.now()).await?;
        match expected {
            Expected::There if !was_there => Err(Error::not_found("metadata", &key.as_str())),
            Expected::Missing if was_there => Err(Error::exists("metadata", &key.as_str())),
            Expected::There | Expected::Missing => Ok(tx.commit().await?),
        }
    }
}
