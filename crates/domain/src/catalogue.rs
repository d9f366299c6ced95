//! What a robot may be given, as Harbor lists it under `GET /permissions`: once for the installation, once for a project.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::{Action, Permission, PermissionSet, Resource};

/// Where a permission holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// In the installation, outside of all projects.
    System,
    /// In a project.
    Project,
}

use Resource as On;

/// Permissions outside of projects.
const SYSTEM: &[(Resource, &str)] = &[
    (On::AuditLog, "L"),
    (On::Catalog, "R"),
    (On::GarbageCollection, "CRUL stop"),
    (On::JobserviceMonitor, "L stop"),
    (On::Label, "CRUD"),
    (On::LdapUser, "CL"),
    (On::PreheatInstance, "CRUDL"),
    (On::Project, "CL"),
    (On::PurgeAudit, "CRUL stop"),
    (On::Quota, "RUL"),
    (On::Registry, "CRUDL"),
    (On::Replication, "CRL"),
    (On::ReplicationAdapter, "L"),
    (On::ReplicationPolicy, "CRUDL"),
    (On::Robot, "CRDL"),
    (On::ScanAll, "CRU stop"),
    (On::Scanner, "CRUDL"),
    (On::SecurityHub, "RL"),
    (On::SystemVolumes, "R"),
    (On::User, "CRUDL"),
    (On::UserGroup, "CRUDL"),
];

/// Permissions in projects.
const PROJECT: &[(Resource, &str)] = &[
    (On::Accessory, "L"),
    (On::Artifact, "CRDL"),
    (On::ArtifactAddition, "R"),
    (On::ArtifactLabel, "CD"),
    (On::ExportCve, "CR"),
    (On::ImmutableTag, "CUDL"),
    (On::Label, "CRUDL"),
    (On::Log, "L"),
    (On::Member, "CRUDL"),
    (On::Metadata, "CRUDL"),
    (On::NotificationPolicy, "CRUDL"),
    (On::PreheatPolicy, "CRUDL"),
    (On::Project, "RUD"),
    (On::Quota, "R"),
    (On::Repository, "RUDL pull push"),
    (On::Robot, "CRDL"),
    (On::Sbom, "CR stop"),
    (On::Scan, "CR stop"),
    (On::Scanner, "CR"),
    (On::Tag, "CDL"),
    (On::TagRetention, "CRUDL"),
];

static SETS: LazyLock<[PermissionSet; 2]> = LazyLock::new(|| [SYSTEM, PROJECT].map(read));

fn read(table: &[(Resource, &str)]) -> PermissionSet {
    let rows = table.iter().map(|&(resource, cell)| PermissionSet::on(resource, cell));
    rows.fold(PermissionSet::EMPTY, |all, row| all.union(&row))
}

impl Scope {
    /// What a robot may be given there.
    #[must_use]
    pub fn catalogue(self) -> &'static PermissionSet {
        &SETS[self as usize]
    }

    /// What a robot may be given there, in Markdown, for the administrator's page.
    #[must_use]
    pub fn table(self) -> String {
        let mut table = "| resource | actions |\n| --- | --- |\n".to_owned();
        for &resource in Resource::ALL {
            let actions = Action::ALL.iter().filter(|&&action| self.catalogue().contains(resource, action));
            let words = actions.map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
            if !words.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(table, "| {resource} | {words} |");
            }
        }
        table
    }

    /// Whether a robot may be given this there.
    #[must_use]
    pub fn offers(self, permission: Permission) -> bool {
        self.catalogue().contains(permission.resource, permission.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_as_long_as_harbors() {
        // Counted in Harbor's answer to a system administrator.
        assert_eq!(Scope::System.catalogue().iter().count(), 70);
        assert_eq!(Scope::Project.catalogue().iter().count(), 70);
    }

    #[test]
    fn a_table_has_a_row_for_each_resource_that_is_offered() {
        let table = Scope::Project.table();
        assert!(table.contains("| repository | read, update, delete, list, pull, push |"), "{table}");
        assert!(!table.contains("| user |") && Scope::System.table().contains("| user |"));
    }

    #[test]
    fn a_robot_cannot_be_given_the_refresh_of_secrets() {
        for scope in [Scope::System, Scope::Project] {
            assert!(!scope.offers(Permission { resource: Resource::Robot, action: Action::Update }));
        }
    }
}
