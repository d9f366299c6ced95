//! Sets of permissions, small enough to be copied and compared on every request.

use std::fmt;

use crate::{Action, Permission, Resource};

/// Any number of permissions of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PermissionSet([u16; Resource::ALL.len()]);

impl PermissionSet {
    /// Nothing.
    pub const EMPTY: Self = Self([0; Resource::ALL.len()]);

    /// Everything, also what is not in any role: a system administrator's.
    pub const ALL: Self = Self([(1 << Action::ALL.len()) - 1; Resource::ALL.len()]);

    /// Whether the permission is in it.
    #[must_use]
    pub const fn contains(&self, resource: Resource, action: Action) -> bool {
        self.0[resource as usize] & (1 << action as u16) != 0
    }

    /// Puts a permission in.
    pub const fn insert(&mut self, resource: Resource, action: Action) {
        self.0[resource as usize] |= 1 << action as u16;
    }

    /// Some actions on one resource.
    #[must_use]
    pub fn on_one(resource: Resource, actions: &[Action]) -> Self {
        actions.iter().map(|&action| Permission { resource, action }).collect()
    }

    /// What is in either.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine &= theirs);
        self
    }

    /// Whether all of it is in `other` too.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| mine & !theirs == 0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// What is in it, by resource, then by action.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        Resource::ALL.iter().flat_map(move |&resource| {
            let actions = Action::ALL.iter().filter(move |&&action| self.contains(resource, action));
            actions.map(move |&action| Permission { resource, action })
        })
    }

    /// The actions on one resource, as bits in the order of [`Action::ALL`]; for a compact form that only this program reads.
    #[must_use]
    pub fn bits(&self) -> &[u16] {
        &self.0
    }

    /// Reads [`PermissionSet::bits`] back; `None` if there are not as many as there are resources.
    #[must_use]
    pub fn from_bits(bits: &[u16]) -> Option<Self> {
        let set = Self(bits.try_into().ok()?);
        set.is_subset_of(&Self::ALL).then_some(set)
    }

    /// Reads a cell of a table: the letters of create, read, update, delete and list in one word, other actions by their names.
    pub(crate) fn on(resource: Resource, cell: &str) -> Self {
        let mut set = Self::EMPTY;
        for word in cell.split_whitespace() {
            match Action::parse(word) {
                Some(action) => set.insert(resource, action),
                None => word.chars().for_each(|letter| set.insert(resource, letter_action(letter))),
            }
        }
        set
    }
}

/// # Panics
/// On any other letter: the tables are part of the program, and a test reads them all.
fn letter_action(letter: char) -> Action {
    match letter {
        'C' => Action::Create,
        'R' => Action::Read,
        'U' => Action::Update,
        'D' => Action::Delete,
        'L' => Action::List,
        _ => panic!("{letter:?} stands for no action"),
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::EMPTY;
        permissions.into_iter().for_each(|Permission { resource, action }| set.insert(resource, action));
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|permission| permission.to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_goes_in_comes_out_and_nothing_else() {
        let everything: Vec<_> = PermissionSet::ALL.iter().collect();
        assert_eq!(everything.len(), Resource::ALL.len() * Action::ALL.len());
        for &one in &everything {
            let set: PermissionSet = [one].into_iter().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), [one]);
            assert!(set.is_subset_of(&PermissionSet::ALL));
            assert!(!PermissionSet::ALL.is_subset_of(&set));
        }
    }

    #[test]
    fn sets_are_joined_and_cut() {
        let pull = PermissionSet::on(Resource::Repository, "pull");
        let both = PermissionSet::on(Resource::Repository, "pull push");
        assert_eq!(pull.union(&both), both);
        assert_eq!(pull.intersection(&both), pull);
        assert!(pull.is_subset_of(&both) && !both.is_subset_of(&pull));
        assert_eq!(PermissionSet::from_bits(both.bits()), Some(both));
        assert_eq!(PermissionSet::from_bits(&[0; 3]), None);
        assert_eq!(PermissionSet::from_bits(&[u16::MAX; Resource::ALL.len()]), None);
    }
}
