//! The documentation builds without a warning, private items included: a broken link breaks the run.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::process;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let mut command = process::cargo(context);
    command.args(["doc", "--quiet", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    // Private items are documented here, so links to them lead somewhere.
    command.env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links");
    process::run(&mut command)?;
    Ok(Outcome::passed(1))
}
