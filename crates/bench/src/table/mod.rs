//! The table: rows of figures, goals, and their rendering as markdown.

pub(crate) mod goal;
pub(crate) mod report;
pub(crate) mod row;
pub(crate) mod unit;

pub(crate) use goal::Goal;
pub(crate) use row::{Figure, Row};
pub(crate) use unit::Unit;
