//! Whose a new project is, however it is made: by the REST API or by a push into nothing.

use berth_domain::{Actor, ActorKind, UserId};
use berth_metadata::{Metadata, Result};

/// The owner of a project that `maker` makes, who is also its first administrator. A person owns what they make; what a robot makes
/// belongs to the first system administrator, as in Harbor.
pub async fn owner_of_new_project(metadata: &dyn Metadata, maker: &Actor) -> Result<UserId> {
    if maker.kind == ActorKind::User {
        return Ok(UserId(maker.id));
    }
    Ok(metadata.first_sysadmin().await?.unwrap_or(UserId::ADMIN))
}
