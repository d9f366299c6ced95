//! The OCI conformance suite, as a step.

use anyhow::Result;

use super::Outcome;
use crate::conformance;
use crate::context::Context;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    conformance::all_profiles(context).map(Outcome::passed)
}
