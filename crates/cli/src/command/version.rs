//! `berth version`.

use crate::output;

pub(super) fn run() {
    output::say(concat!("berth ", env!("CARGO_PKG_VERSION")));
}
