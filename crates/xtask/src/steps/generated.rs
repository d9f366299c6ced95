//! What `cargo xtask generate` writes is what the checkout holds.

use anyhow::{Result, bail};

use super::Outcome;
use crate::context::Context;
use crate::generate;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let files = generate::files(context)?;
    let stale: Vec<_> =
        files.iter().filter(|file| !file.is_current()).map(|file| file.path.display().to_string()).collect();
    if !stale.is_empty() {
        bail!("not as `cargo xtask generate` writes them: {}", stale.join(", "));
    }
    Ok(Outcome::passed(files.len()))
}
