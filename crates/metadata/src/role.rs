//! Roles as rows, so that others than Harbor's five can be added without a change of the program.

use async_trait::async_trait;
use berth_domain::Role;

use crate::Result;

/// Looking at roles.
#[async_trait]
pub trait RoleReads {
    /// All roles by number. A permission that this program does not know is left out of its role.
    async fn roles(&self) -> Result<Vec<Role>>;
}

/// Changing roles.
#[async_trait]
pub trait RoleWrites {
    /// Makes the row of a role say what the program says. Called with Harbor's five at every start.
    async fn ensure_role(&mut self, role: &Role) -> Result<()>;
}
