//! The grammar of scopes that a docker client asks for, and what a token grants of them.
//!
//! `type[(class)]:name:action[,action…]`, several of them separated by spaces or given as several parameters. The name may hold
//! a `host:port`, so the type ends at the first colon and the actions begin after the last.

use std::collections::BTreeMap;

use berth_domain::{Action, PermissionSet, Resource};
use berth_oci::RepositoryName;
use serde::{Deserialize, Serialize};

/// The most scopes of one request.
pub const MOST_SCOPES: usize = 100;
/// The longest scope, in bytes: the longest name, with room for a host and all actions.
const LONGEST_SCOPE: usize = 600;
/// The most actions of one scope.
const MOST_ACTIONS: usize = 10;

/// What is asked for, or granted, on one thing. The form and its name are those of a token's `access` claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceActions {
    /// `repository` or `registry`; anything else grants nothing.
    #[serde(rename = "type")]
    pub kind: String,
    /// A repository's name, or `catalog`.
    pub name: String,
    /// `pull`, `push`, `delete` or `*`; the rest grants nothing.
    pub actions: Vec<String>,
}

/// Why scopes cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// More than anybody needs.
    #[error("more than {MOST_SCOPES} scopes in one request: ask for several tokens")]
    Many,
    /// Too long for any name.
    #[error(
        "a scope is longer than {LONGEST_SCOPE} bytes: name one repository in it and what is to be done there"
    )]
    Long,
    /// Not by the grammar.
    #[error("invalid scope {0:?}: expected type:name:actions, for example repository:library/alpine:pull")]
    Malformed(String),
}

/// What scopes can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeTarget {
    /// A repository.
    Repository(RepositoryName),
    /// The list of all repositories.
    Catalog,
    /// Nothing that is here.
    Nothing,
}

/// What a token may be used for at most: read out of its scopes once, asked with every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage(Vec<(ScopeTarget, PermissionSet)>);

impl Coverage {
    /// What these scopes cover.
    #[must_use]
    pub fn of(access: &[ResourceActions]) -> Self {
        Self(access.iter().map(|granted| (granted.target(), granted.permissions())).collect())
    }

    /// What it covers on the targets that are meant.
    #[must_use]
    pub fn on(&self, is_meant: impl Fn(&ScopeTarget) -> bool) -> PermissionSet {
        let said = self.0.iter().filter(|(target, _)| is_meant(target));
        said.fold(PermissionSet::EMPTY, |all, (_, permissions)| all.union(permissions))
    }
}

/// Reads the values of all `scope` parameters of a request. What is asked for twice becomes one, in the order of first mention.
pub fn parse_scopes<'a>(
    parameters: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<ResourceActions>, ScopeError> {
    let mut scopes: Vec<ResourceActions> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let texts =
        parameters.into_iter().flat_map(|parameter| parameter.split(' ')).filter(|text| !text.is_empty());
    for (count, text) in texts.enumerate() {
        if count >= MOST_SCOPES {
            return Err(ScopeError::Many);
        }
        let scope = parse_scope(text)?;
        let place = (scope.kind.clone(), scope.name.clone());
        if let Some(&index) = places.get(&place) {
            scopes[index].add(scope.actions);
        } else {
            places.insert(place, scopes.len());
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

/// Reads one scope.
pub fn parse_scope(text: &str) -> Result<ResourceActions, ScopeError> {
    if text.len() > LONGEST_SCOPE {
        return Err(ScopeError::Long);
    }
    let malformed = || ScopeError::Malformed(text.chars().filter(|c| !c.is_control()).take(100).collect());
    let (kind, rest) = text.split_once(':').ok_or_else(malformed)?;
    let (name, actions) = rest.rsplit_once(':').ok_or_else(malformed)?;
    let kind = without_class(kind).ok_or_else(malformed)?;
    let printable = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic());
    let action_ok =
        |action: &str| action == "*" || action.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if name.is_empty() || !printable(name) || !actions.split(',').all(action_ok) {
        return Err(malformed());
    }
    let mut scope = ResourceActions { kind: kind.to_owned(), name: name.to_owned(), actions: Vec::new() };
    let named = actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned);
    scope.add(named.take(MOST_ACTIONS));
    Ok(scope)
}

/// The type without its class, which means nothing any more: `repository(plugin)` is `repository`.
fn without_class(kind: &str) -> Option<&str> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let bare = match kind.split_once('(') {
        Some((bare, class)) => class.strip_suffix(')').is_some_and(word).then_some(bare)?,
        None => kind,
    };
    word(bare).then_some(bare)
}

impl ResourceActions {
    /// What it is about.
    #[must_use]
    pub fn target(&self) -> ScopeTarget {
        match (self.kind.as_str(), self.name.as_str()) {
            ("registry", "catalog") => ScopeTarget::Catalog,
            ("repository", name) => name.parse().map_or(ScopeTarget::Nothing, ScopeTarget::Repository),
            _ => ScopeTarget::Nothing,
        }
    }

    /// The part of it that `permissions` allow; `permissions` are those of the caller where the target is.
    #[must_use]
    pub fn granted(&self, permissions: &PermissionSet) -> Self {
        let asked = |action: &str| self.actions.iter().any(|given| given == action);
        let actions = match self.target() {
            ScopeTarget::Nothing => Vec::new(),
            ScopeTarget::Catalog => {
                let listed = permissions.contains(Resource::Catalog, Action::List);
                let may = listed || permissions.contains(Resource::Catalog, Action::Read);
                (may && asked("*")).then(|| "*".to_owned()).into_iter().collect()
            }
            ScopeTarget::Repository(_) => {
                let granted = REPOSITORY_ACTIONS.iter().filter(|(action, needed)| {
                    (asked(action) || asked("*"))
                        && needed.iter().any(|&(on, what)| permissions.contains(on, what))
                });
                granted.map(|(action, _)| (*action).to_owned()).collect()
            }
        };
        Self { kind: self.kind.clone(), name: self.name.clone(), actions }
    }

    /// What a token with this in its `access` may be used for at most, where the target is.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        let has = |action: &str| self.actions.iter().any(|given| given == action);
        match self.target() {
            ScopeTarget::Catalog if has("*") => {
                PermissionSet::on_one(Resource::Catalog, &[Action::Read, Action::List])
            }
            ScopeTarget::Nothing | ScopeTarget::Catalog => PermissionSet::EMPTY,
            ScopeTarget::Repository(_) => {
                let granted = COVERED.iter().filter(|(action, _)| has(action) || has("*"));
                let sets = granted.flat_map(|(_, rows)| rows.iter());
                sets.fold(PermissionSet::EMPTY, |all, (on, what)| {
                    all.union(&PermissionSet::on_one(*on, what))
                })
            }
        }
    }

    fn add(&mut self, actions: impl IntoIterator<Item = String>) {
        for action in actions {
            if !self.actions.contains(&action) && self.actions.len() < MOST_ACTIONS {
                self.actions.push(action);
            }
        }
    }
}

/// The actions on a repository, and any of which permissions earns each.
const REPOSITORY_ACTIONS: [(&str, &[(Resource, Action)]); 3] = [
    ("pull", &[(Resource::Repository, Action::Pull)]),
    ("push", &[(Resource::Repository, Action::Push)]),
    ("delete", &[(Resource::Artifact, Action::Delete), (Resource::Tag, Action::Delete)]),
];

/// Some actions on one resource.
type Row = (Resource, &'static [Action]);

/// The permissions that each action may stand for, as far as the subject still has them.
const COVERED: [(&str, &[Row]); 3] = [
    (
        "pull",
        &[
            (Resource::Repository, &[Action::Pull, Action::Read, Action::List]),
            (Resource::Artifact, &[Action::Read, Action::List]),
            (Resource::Tag, &[Action::List]),
            (Resource::Accessory, &[Action::List]),
        ],
    ),
    (
        "push",
        &[
            (Resource::Repository, &[Action::Push, Action::Create, Action::Update]),
            (Resource::Artifact, &[Action::Create]),
            (Resource::Tag, &[Action::Create]),
        ],
    ),
    (
        "delete",
        &[
            (Resource::Repository, &[Action::Delete]),
            (Resource::Artifact, &[Action::Delete]),
            (Resource::Tag, &[Action::Delete]),
        ],
    ),
];

#[cfg(test)]
mod tests;
