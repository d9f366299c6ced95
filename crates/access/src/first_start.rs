//! What must be there before anybody can log in: the roles and the first administrator.

use berth_domain::{Clock, MemberEntity, ProjectId, Role, RoleId, UserId};
use berth_metadata::Metadata;
use berth_metadata::user::NewUser;

use crate::password::Passwords;
use crate::{LoginError, Secret};

/// The first administrator's name.
pub const ADMIN: &str = "admin";

/// Makes the rows of Harbor's roles say what the program says. Called at every start.
pub async fn ensure_roles(metadata: &dyn Metadata) -> berth_metadata::Result<()> {
    let mut tx = metadata.begin().await?;
    for role in Role::harbors() {
        tx.ensure_role(role).await?;
    }
    tx.commit().await
}

/// Whether there is no administrator yet, so that a password is needed.
pub async fn needs_admin(metadata: &dyn Metadata) -> berth_metadata::Result<bool> {
    Ok(metadata.user(UserId::ADMIN).await?.is_none())
}

/// Makes account 1 with this password if there is none, and with it the first project's first member, as in Harbor. Whether it was
/// made: of several processes only one sees `true`.
pub async fn ensure_admin(
    metadata: &dyn Metadata,
    passwords: &Passwords,
    clock: &dyn Clock,
    password: Secret,
) -> Result<bool, LoginError> {
    let stored = passwords.hash(password).await?;
    let admin = NewUser {
        username: ADMIN.to_owned(),
        email: String::new(),
        realname: "system admin".to_owned(),
        comment: "admin user".to_owned(),
        sysadmin: true,
        password: Some(stored.as_str().to_owned()),
    };
    let mut tx = metadata.begin().await?;
    let made = tx.ensure_admin(&admin, clock.now()).await?;
    if made && tx.lock_project(ProjectId::LIBRARY).await?.is_some() {
        let admin = MemberEntity::User(UserId::ADMIN);
        tx.add_member(ProjectId::LIBRARY, admin, RoleId::PROJECT_ADMIN, clock.now()).await?;
    }
    tx.commit().await?;
    Ok(made)
}

/// Gives account 1 another password, for an administrator who lost it; everything that was issued to it ends. Whether it is there.
pub async fn reset_admin_password(
    metadata: &dyn Metadata,
    passwords: &Passwords,
    clock: &dyn Clock,
    password: Secret,
) -> Result<bool, LoginError> {
    let stored = passwords.hash(password).await?;
    let mut tx = metadata.begin().await?;
    let there = tx.set_user_password(UserId::ADMIN, stored.as_str(), clock.now()).await?;
    tx.commit().await?;
    Ok(there)
}
