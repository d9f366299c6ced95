//! Deletions: what went together comes back together.

use uuid::Uuid;

/// Names one act of deletion: everything it took carries this id and can be restored by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeletionId(pub Uuid);
