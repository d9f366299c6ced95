//! Roles as data: a name for a set of permissions in a project. Harbor's five come with the program.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::{Action, PermissionSet, Resource};

/// A role's number. Harbor's five are 1 to 5; others may follow as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub i64);

impl RoleId {
    /// Everything in the project.
    pub const PROJECT_ADMIN: Self = Self(1);
    /// Pull and push.
    pub const DEVELOPER: Self = Self(2);
    /// Pull and look.
    pub const GUEST: Self = Self(3);
    /// Pull, push, delete and scan.
    pub const MAINTAINER: Self = Self(4);
    /// Pull, without seeing who else is there.
    pub const LIMITED_GUEST: Self = Self(5);
}

/// What a member of a project may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its number.
    pub id: RoleId,
    /// Its name in Harbor's API.
    pub name: String,
    /// What it permits.
    pub permissions: PermissionSet,
}

/// The columns of [`TABLE`].
const COLUMNS: [(RoleId, &str); 5] = [
    (RoleId::PROJECT_ADMIN, "projectAdmin"),
    (RoleId::MAINTAINER, "maintainer"),
    (RoleId::DEVELOPER, "developer"),
    (RoleId::GUEST, "guest"),
    (RoleId::LIMITED_GUEST, "limitedGuest"),
];

use Resource as On;

/// Who may do what: C create, R read, U update, D delete, L list.
#[rustfmt::skip]
const TABLE: &[(Resource, [&str; 5])] = &[
    //                          projectAdmin        maintainer          developer         guest       limitedGuest
    (On::Project,            ["RUD",             "R",               "R",              "R",        "R"]),
    (On::Member,             ["CRUDL",           "RL",              "RL",             "RL",       ""]),
    (On::Metadata,           ["CRUD",            "R",               "",               "",         ""]),
    (On::Configuration,      ["RU",              "R",               "R",              "R",        "R"]),
    (On::Quota,              ["R",               "R",               "R",              "R",        "R"]),
    (On::Log,                ["L",               "",                "",               "",         ""]),
    (On::Repository,         ["CRUDL pull push", "CRUDL pull push", "CRUL pull push", "RL pull",  "RL pull"]),
    (On::Artifact,           ["CRDL",            "CRDL",            "CRL",            "RL",       "RL"]),
    (On::ArtifactAddition,   ["R",               "R",               "R",              "R",        "R"]),
    (On::Tag,                ["CDL",             "CDL",             "CL",             "L",        "L"]),
    (On::Accessory,          ["L",               "L",               "L",              "L",        "L"]),
    (On::Label,              ["CRUDL",           "CRUDL",           "RL",             "RL",       ""]),
    (On::ArtifactLabel,      ["CD",              "CD",              "CD",             "",         ""]),
    (On::TagRetention,       ["CRUDL operate",   "CRUDL operate",   "CRUDL operate",  "",         ""]),
    (On::ImmutableTag,       ["CUDL",            "CUDL",            "",               "",         ""]),
    (On::Robot,              ["CRUDL",           "RL",              "RL",             "RL",       ""]),
    (On::NotificationPolicy, ["CRUDL",           "RL",              "",               "",         ""]),
    (On::PreheatPolicy,      ["CRUDL",           "",                "",               "",         ""]),
    (On::Scan,               ["CR stop",         "CR stop",         "R",              "R",        "R"]),
    (On::Sbom,               ["CR stop",         "CR stop",         "R",              "R",        "R"]),
    (On::Scanner,            ["CR",              "R",               "R",              "R",        "R"]),
    (On::ExportCve,          ["CRL",             "CRL",             "CRL",            "",         ""]),
];

/// What everybody may do in a public project, also without credentials.
const PUBLIC: &[(Resource, &str)] = &[
    (On::Project, "R"),
    (On::Label, "RL"),
    (On::Repository, "L pull"),
    (On::Artifact, "RL"),
    (On::ArtifactAddition, "R"),
    (On::Tag, "L"),
    (On::Accessory, "L"),
    (On::Scan, "R"),
    (On::Scanner, "R"),
];

static HARBORS: LazyLock<[Role; 5]> = LazyLock::new(|| {
    std::array::from_fn(|column| {
        let (id, name) = COLUMNS[column];
        let cells = TABLE.iter().map(|(resource, cells)| PermissionSet::on(*resource, cells[column]));
        let permissions = cells.fold(PermissionSet::EMPTY, |all, cell| all.union(&cell));
        Role { id, name: name.to_owned(), permissions }
    })
});

static IN_PUBLIC: LazyLock<PermissionSet> = LazyLock::new(|| {
    let rows = PUBLIC.iter().map(|&(resource, cell)| PermissionSet::on(resource, cell));
    rows.fold(PermissionSet::EMPTY, |all, row| all.union(&row))
});

impl Role {
    /// The five roles that Harbor has, the most powerful first.
    #[must_use]
    pub fn harbors() -> &'static [Self; 5] {
        &HARBORS
    }

    /// What everybody may do in a public project, also without credentials.
    #[must_use]
    pub fn in_public_projects() -> &'static PermissionSet {
        &IN_PUBLIC
    }

    /// The table of Harbor's roles and of public projects, in Markdown, for the administrator's page.
    #[must_use]
    pub fn table() -> String {
        let names = Self::harbors().iter().map(|role| role.name.as_str()).chain(["anyone, if public"]);
        let mut table = format!("| resource | {} |\n", names.collect::<Vec<_>>().join(" | "));
        table.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for (resource, _) in TABLE {
            let sets =
                Self::harbors().iter().map(|role| &role.permissions).chain([Self::in_public_projects()]);
            let cells = sets.map(|set| words(set, *resource)).collect::<Vec<_>>().join(" | ");
            // Writing to a string does not fail.
            let _ = writeln!(table, "| {resource} | {cells} |");
        }
        table
    }
}

/// The actions on one resource in words.
fn words(set: &PermissionSet, resource: Resource) -> String {
    let actions = Action::ALL.iter().filter(|&&action| set.contains(resource, action));
    actions.map(|action| action.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: RoleId) -> &'static Role {
        Role::harbors().iter().find(|role| role.id == id).unwrap()
    }

    #[test]
    fn ids_are_harbors() {
        let ids: Vec<_> = Role::harbors().iter().map(|role| (role.id.0, role.name.as_str())).collect();
        let harbors =
            [(1, "projectAdmin"), (4, "maintainer"), (2, "developer"), (3, "guest"), (5, "limitedGuest")];
        assert_eq!(ids, harbors);
    }

    #[test]
    fn each_role_may_no_more_than_the_one_before_it() {
        for pair in Role::harbors().windows(2) {
            let more = pair[1].permissions.is_subset_of(&pair[0].permissions);
            assert!(more, "{} may more than {}", pair[1].name, pair[0].name);
        }
    }

    #[test]
    fn each_resource_has_one_row() {
        for (index, (resource, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[index + 1..].iter().all(|(other, _)| other != resource), "{resource} twice");
        }
        assert!(PUBLIC.iter().all(|(resource, _)| TABLE.iter().any(|(row, _)| row == resource)));
    }

    #[test]
    fn what_counts_most_is_as_in_harbor() {
        let may = |id, resource, action| role(id).permissions.contains(resource, action);
        assert!(may(RoleId::DEVELOPER, On::Repository, Action::Push));
        assert!(!may(RoleId::DEVELOPER, On::Repository, Action::Delete));
        assert!(!may(RoleId::DEVELOPER, On::Tag, Action::Delete));
        assert!(may(RoleId::MAINTAINER, On::Artifact, Action::Delete));
        assert!(!may(RoleId::MAINTAINER, On::Member, Action::Create));
        assert!(may(RoleId::GUEST, On::Repository, Action::Pull));
        assert!(!may(RoleId::GUEST, On::Repository, Action::Push));
        assert!(!may(RoleId::LIMITED_GUEST, On::Member, Action::List));
        let public = Role::in_public_projects();
        assert!(public.contains(On::Repository, Action::Pull));
        assert!(!public.contains(On::Member, Action::List) && !public.contains(On::Repository, Action::Push));
    }

    #[test]
    fn the_table_is_rendered_whole() {
        let table = Role::table();
        assert_eq!(table.lines().count(), 2 + TABLE.len());
        let repositories = table.lines().find(|line| line.starts_with("| repository |")).unwrap();
        assert!(repositories.ends_with("| read, list, pull | list, pull |"), "{repositories}");
    }
}
