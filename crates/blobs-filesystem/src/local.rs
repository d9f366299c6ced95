//! Which file systems are local: only their files are mapped.

use std::io;
use std::path::Path;

/// The kinds that are known to be local, by the kernel's magic numbers (`linux/magic.h`). Everything else, known or not, counts
/// as remote: a page of it may take for ever, or be lost when a server goes.
const LOCAL: [u32; 7] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0xF2F5_2010, // F2FS
    0xCA45_1A4E, // bcachefs
    0x0102_1994, // tmpfs
    0x794C_7630, // overlay
];

/// Whether the directory lies on a local file system.
pub(crate) fn is_local(path: &Path) -> io::Result<bool> {
    let kind = rustix::fs::statfs(path)?.f_type;
    Ok(LOCAL.iter().any(|&local| i64::from(local) == kind))
}
