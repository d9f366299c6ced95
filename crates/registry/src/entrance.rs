//! As much of the [`Registry`] as a door gets. What runs without a caller is not in reach from here.

use berth_access::Caller;
use berth_blobs::BufferPool;

use crate::{Guarded, Registry};

/// The way in for callers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Entrance {
    registry: Registry,
}

impl Entrance {
    pub(crate) fn of(registry: Registry) -> Self {
        Self { registry }
    }

    /// The registry as one caller may use it.
    #[must_use]
    pub fn as_caller<'a>(&'a self, caller: &'a Caller) -> Guarded<'a> {
        self.registry.as_caller(caller)
    }

    /// The budget for bodies on their way in, which a door needs for those that it reads whole.
    #[must_use]
    pub fn incoming(&self) -> &BufferPool {
        self.registry.incoming()
    }
}
