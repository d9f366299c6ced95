//! `GET /robots`.

use axum::response::Response;
use berth_domain::{ProjectId, RobotLevel};
use berth_http::rest::{Code, Keywords, Refusal, TextMatch};
use berth_management::{RobotFilter, RobotOrder};

use super::view::RobotView;
use crate::call::Call;
use crate::error::Error;

const ORDERS: &[(&str, RobotOrder)] =
    &[("name", RobotOrder::Name), ("creation_time", RobotOrder::CreatedAt), ("id", RobotOrder::Id)];

/// One page of the installation's robots, or with `q=Level=project,ProjectID=1` of a project's.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.page()?;
    let window = call.window(page, ORDERS)?;
    let listed = call.management.robots(&filter(call)?, window).await?;
    let views: Vec<_> = listed.items.iter().map(RobotView::from).collect();
    Ok(call.listed(page, &views, listed.total))
}

fn filter(call: &Call<'_>) -> Result<RobotFilter, Refusal> {
    let mut keywords = call.keywords()?;
    let level = level(&mut keywords)?;
    let (name, name_like) = keywords.take_exact_or_fuzzy("name")?;
    keywords.nothing_else()?;
    Ok(RobotFilter { level, name, name_like })
}

fn level(keywords: &mut Keywords) -> Result<RobotLevel, Refusal> {
    let refused = |words| Err(Refusal::new(Code::BadRequest, words));
    let level = keywords.take_text("Level")?;
    let project = keywords.take("ProjectID").map(|asked| asked.number("ProjectID")).transpose()?;
    let level = match &level {
        None => "system",
        Some(TextMatch::Exact(level)) => level,
        Some(_) => "",
    };
    match (level, project) {
        ("system", None | Some(0)) => Ok(RobotLevel::System),
        ("system", Some(_)) => refused("ProjectID in q goes with Level=project"),
        ("project", Some(id)) if id > 0 => Ok(RobotLevel::Project(ProjectId(id))),
        ("project", _) => refused("Level=project in q needs ProjectID, a positive number"),
        _ => refused("Level in q must be system or project"),
    }
}
