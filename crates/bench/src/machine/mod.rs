//! The machine under the measurement: what it is, what its processes use, how its disk is freed.

pub(crate) mod description;
pub(crate) mod leftovers;
pub(crate) mod meter;
pub(crate) mod process;
pub(crate) mod procfs;
