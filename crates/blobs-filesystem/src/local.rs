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
    Ok(is_local_kind(rustix::fs::statfs(path)?.f_type))
}

/// Whether a file system with this magic number is local.
fn is_local_kind(kind: i64) -> bool {
    LOCAL.iter().any(|&local| i64::from(local) == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_local_is() {
        for (name, kind, local) in [
            ("ext4", 0xEF53, true),
            ("XFS", 0x5846_5342, true),
            ("Btrfs", 0x9123_683E, true),
            ("F2FS", 0xF2F5_2010, true),
            ("bcachefs", 0xCA45_1A4E, true),
            ("tmpfs", 0x0102_1994, true),
            ("overlay", 0x794C_7630, true),
            ("NFS", 0x6969, false),
            ("Ceph", 0x00C3_6400, false),
            ("SMB", 0x517B, false),
            ("CIFS", 0xFF53_4D42, false),
            ("SMB 2", 0xFE53_4D42, false),
            ("FUSE", 0x6573_5546, false),
            ("Lustre", 0x0BD0_0BD0, false),
            ("9P", 0x0102_1997, false),
            ("GFS2", 0x0116_1970, false),
            ("OCFS2", 0x7461_636F, false),
            ("AFS", 0x5346_414F, false),
            // Local where it is, but not known here.
            ("ZFS", 0x2FC1_2FC1, false),
            ("nothing", 0, false),
        ] {
            assert_eq!(is_local_kind(kind), local, "{name}");
        }
    }

    #[test]
    fn the_kernel_is_asked_where_a_directory_lies() {
        assert!(!is_local(Path::new("/proc")).unwrap());
        assert!(is_local(Path::new("/does/not/exist")).is_err());
    }
}
