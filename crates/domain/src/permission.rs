//! The one catalogue of what can be permitted: Harbor's resources and actions, spelled as its API spells them.

use std::fmt;

/// An enum whose variants have names in Harbor's API.
macro_rules! names {
    ($(#[$enum:meta])* $type:ident { $($(#[$variant:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$enum])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$variant])* $name,)*
        }

        impl $type {
            /// All of them, in one order that never depends on anything.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in Harbor's catalogue.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Reads [`Self::as_str`] back.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// What is acted upon.
    Resource {
        /// Whatever hangs on an artifact: signatures, SBOMs.
        Accessory = "accessory",
        /// A manifest with what belongs to it.
        Artifact = "artifact",
        /// What an artifact says about itself: build history, values, readme.
        ArtifactAddition = "artifact-addition",
        /// The labels on an artifact.
        ArtifactLabel = "artifact-label",
        /// The log of who did what, of the whole installation.
        AuditLog = "audit-log",
        /// The list of all repositories.
        Catalog = "catalog",
        /// The configuration of a project, or of the installation.
        Configuration = "configuration",
        /// Exports of found vulnerabilities.
        ExportCve = "export-cve",
        /// Removal of bytes that nothing names any more.
        GarbageCollection = "garbage-collection",
        /// Rules that keep tags from moving.
        ImmutableTag = "immutable-tag",
        /// The view of running jobs.
        JobserviceMonitor = "jobservice-monitor",
        /// A label.
        Label = "label",
        /// Accounts of a directory.
        LdapUser = "ldap-user",
        /// The log of who did what in a project.
        Log = "log",
        /// Membership in a project.
        Member = "member",
        /// A project's settings by key.
        Metadata = "metadata",
        /// Webhooks of a project.
        NotificationPolicy = "notification-policy",
        /// Where images are preheated.
        PreheatInstance = "preheat-instance",
        /// What is preheated.
        PreheatPolicy = "preheat-policy",
        /// A project itself.
        Project = "project",
        /// Removal of old audit lines.
        PurgeAudit = "purge-audit",
        /// How much a project may hold.
        Quota = "quota",
        /// Another registry.
        Registry = "registry",
        /// Runs of replication.
        Replication = "replication",
        /// The kinds of registries that replication knows.
        ReplicationAdapter = "replication-adapter",
        /// What is replicated.
        ReplicationPolicy = "replication-policy",
        /// A repository and its content; `pull` and `push` are its own actions.
        Repository = "repository",
        /// A machine's account.
        Robot = "robot",
        /// Software bills of materials.
        Sbom = "sbom",
        /// The search for vulnerabilities in an artifact.
        Scan = "scan",
        /// The search for vulnerabilities in everything.
        ScanAll = "scan-all",
        /// Programs that scan.
        Scanner = "scanner",
        /// The view of vulnerabilities over all projects.
        SecurityHub = "security-hub",
        /// How full storage is.
        SystemVolumes = "system-volumes",
        /// A tag.
        Tag = "tag",
        /// Rules for which tags stay.
        TagRetention = "tag-retention",
        /// A person's account.
        User = "user",
        /// A group of users.
        UserGroup = "user-group",
    }
}

names! {
    /// What is done to it.
    Action {
        /// Make one.
        Create = "create",
        /// Look at one.
        Read = "read",
        /// Change one.
        Update = "update",
        /// Remove one.
        Delete = "delete",
        /// See which there are.
        List = "list",
        /// Take content out.
        Pull = "pull",
        /// Put content in.
        Push = "push",
        /// Run it.
        Operate = "operate",
        /// Stop what runs.
        Stop = "stop",
    }
}

/// One thing that can be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// What is acted upon.
    pub resource: Resource,
    /// What is done to it.
    pub action: Action,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_differ() {
        for &resource in Resource::ALL {
            assert_eq!(Resource::parse(resource.as_str()), Some(resource));
        }
        for &action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
        assert_eq!(Resource::parse("Repository"), None);
        assert_eq!(Action::parse("*"), None);
    }
}
