//! `GET /search`: projects and repositories by a part of their name.

use axum::response::Response;
use berth_management::FoundRepository;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;
use crate::projects::ProjectView;

#[derive(Debug, Serialize)]
struct FoundView<'a> {
    project: Vec<ProjectView<'a>>,
    repository: Vec<RepositoryView<'a>>,
}

#[derive(Debug, Serialize)]
struct RepositoryView<'a> {
    project_id: i64,
    project_name: String,
    project_public: bool,
    repository_name: &'a str,
    pull_count: u64,
    artifact_count: u64,
}

/// Everything with the text in its name that the caller may see.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let found = call.management.search(&call.demanded("q")?).await?;
    Ok(answer::json(&FoundView {
        project: found.projects.iter().map(ProjectView::from).collect(),
        repository: found.repositories.iter().map(RepositoryView::from).collect(),
    }))
}

impl<'a> From<&'a FoundRepository> for RepositoryView<'a> {
    fn from(found: &'a FoundRepository) -> Self {
        Self {
            project_id: found.project.0,
            project_name: found.name.project().to_string(),
            project_public: found.public,
            repository_name: found.name.as_str(),
            pull_count: found.pulls,
            artifact_count: found.manifests,
        }
    }
}
