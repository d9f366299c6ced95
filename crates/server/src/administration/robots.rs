//! All robots of an installation, for whoever looks for dead ones.

use anyhow::Result;
use berth_config::Config;
use berth_domain::{Robot, RobotLevel, RobotLogin, Timestamp};
use berth_metadata::project_page::{ProjectFilter, ProjectOrder, Visibility};
use berth_metadata::robot::{RobotFilter, RobotOrder};
use berth_metadata::{Metadata, Window};
use berth_oci::ProjectName;

/// How many rows are read at once.
const PAGE: u32 = 1000;

/// One robot, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRobot {
    /// The name that it logs in with.
    pub name: String,
    /// The project that it belongs to, if it belongs to one.
    pub project: Option<ProjectName>,
    /// When it ends; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// Switched off.
    pub disabled: bool,
    /// When it last showed its secret; `None` is never.
    pub last_used_at: Option<Timestamp>,
}

/// Those of the system first, then those of projects by name.
pub async fn robots(config: &Config) -> Result<Vec<ListedRobot>> {
    super::with_database(config, async |metadata| all(metadata.as_ref(), &config.robots.prefix).await).await
}

async fn all(metadata: &dyn Metadata, prefix: &str) -> Result<Vec<ListedRobot>> {
    let mut listed = of_level(metadata, RobotLevel::System, None, prefix).await?;
    let filter = ProjectFilter { visible: Visibility::All, ..ProjectFilter::default() };
    let mut offset = 0;
    loop {
        let window = Window { order: ProjectOrder::Name, descending: false, offset, limit: PAGE };
        let projects = metadata.project_pages(&filter, None, window).await?;
        for page in &projects {
            let (level, name) = (RobotLevel::Project(page.project.id), Some(&page.project.name));
            listed.extend(of_level(metadata, level, name, prefix).await?);
        }
        if projects.len() < PAGE as usize {
            return Ok(listed);
        }
        offset += u64::from(PAGE);
    }
}

async fn of_level(
    metadata: &dyn Metadata,
    level: RobotLevel,
    project: Option<&ProjectName>,
    prefix: &str,
) -> Result<Vec<ListedRobot>> {
    let filter = RobotFilter { level, name: Vec::new(), name_like: None };
    let (mut listed, mut offset) = (Vec::new(), 0);
    loop {
        let window = Window { order: RobotOrder::Name, descending: false, offset, limit: PAGE };
        let robots = metadata.robots(&filter, window).await?;
        listed.extend(robots.iter().map(|robot| line(robot, project, prefix)));
        if robots.len() < PAGE as usize {
            return Ok(listed);
        }
        offset += u64::from(PAGE);
    }
}

fn line(robot: &Robot, project: Option<&ProjectName>, prefix: &str) -> ListedRobot {
    let login = RobotLogin { project: project.cloned(), name: robot.name.clone() };
    ListedRobot {
        name: login.render(prefix),
        project: login.project,
        expires_at: robot.expires_at(),
        disabled: robot.disabled,
        last_used_at: robot.last_used_at,
    }
}
