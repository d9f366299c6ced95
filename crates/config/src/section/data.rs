//! Where an embedded installation keeps everything.

use std::path::PathBuf;

use crate::setting;

setting::table! {
    /// Where an embedded installation keeps everything.
    pub struct Data(data) {
        /// The directory of the embedded database and, unless `storage.directory` says otherwise, of the blobs. If none is named, it is `$XDG_DATA_HOME/berth`, else `~/.local/share/berth`. One Berth at a time works on it.
        directory: PathBuf = "",
    }
}
