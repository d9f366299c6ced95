//! Where the bytes of blobs are.

use std::path::PathBuf;

use crate::setting;

setting::table! {
    /// Where the bytes of blobs are.
    pub struct Storage(storage) {
        /// The directory of the blobs. If none is named, it is `blobs` in the data directory.
        directory: Option<PathBuf> = "",
    }
}
