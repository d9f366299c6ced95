//! Roles.

use berth_domain::{Action, PermissionSet, Resource, Role, RoleId};

use super::scene::begin;
use crate::Metadata;

pub(super) async fn roles_say_what_they_were_told(metadata: &dyn Metadata) {
    let ensure = async |roles: &[Role]| {
        let mut tx = begin(metadata).await;
        for role in roles {
            tx.ensure_role(role).await.expect("a role");
        }
        tx.commit().await.expect("a commit");
    };
    let mut expected = Role::harbors().to_vec();
    expected.sort_by_key(|role| role.id);
    ensure(Role::harbors()).await;
    ensure(Role::harbors()).await;
    assert_eq!(metadata.roles().await.expect("a list"), expected);

    let pull = PermissionSet::on_one(Resource::Repository, &[Action::Pull, Action::Push]);
    let mut own = Role { id: RoleId(6), name: "releaser".to_owned(), permissions: pull };
    ensure(std::slice::from_ref(&own)).await;
    "puller".clone_into(&mut own.name);
    own.permissions = PermissionSet::on_one(Resource::Repository, &[Action::Pull]);
    ensure(std::slice::from_ref(&own)).await;
    let empty = Role { id: RoleId(7), name: "nothing".to_owned(), permissions: PermissionSet::EMPTY };
    ensure(std::slice::from_ref(&empty)).await;
    expected.extend([own, empty]);
    assert_eq!(metadata.roles().await.expect("a list"), expected);
}
