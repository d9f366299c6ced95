//! A small file system on a disk of its own, which can be full to its last block, and which turns read-only when its disk fails.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Program, Scratch, system};

/// A mounted ext4 in a file; it is unmounted when this value goes.
#[derive(Debug)]
pub struct Ext4 {
    disk: PathBuf,
    folder: PathBuf,
    _scratch: Scratch,
}

impl Ext4 {
    /// Makes one of this many MiB, of which root keeps none for itself, and mounts it.
    #[track_caller]
    pub fn mount(mebibytes: u64) -> Self {
        let scratch = Scratch::new();
        let disk = scratch.write("disk", "");
        let file = fs::File::options().write(true).open(&disk).expect("a scratch file can be written");
        file.set_len(mebibytes << 20).expect("a file with nothing in it takes no room");
        let make = Program::new(system("mkfs.ext4")).args(["-q", "-b", "4096", "-m", "0"]);
        // It belongs to whoever makes it.
        make.args(["-E", "root_owner"]).arg(&disk).run();
        let this = Self { disk, folder: scratch.folder("mounted"), _scratch: scratch };
        this.attach();
        this
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Lets the kernel find an error on its disk: from now on nothing can be written, also by those who had begun to.
    #[track_caller]
    pub fn fail(&self) {
        let device = Program::new(system("findmnt")).args(["-n", "-o", "SOURCE"]).arg(&self.folder).run();
        let device = device.text().trim_start_matches("/dev/").to_owned();
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        Program::as_root(system("tee")).arg(&trigger).input("1").run();
        let probe = fs::write(self.folder.join("probe"), "").expect_err("it turned read-only");
        assert_eq!(probe.kind(), std::io::ErrorKind::ReadOnlyFilesystem, "{probe}");
    }

    /// Does what an operator does then: unmounts it, which nobody may use any more, checks it and mounts it again.
    #[track_caller]
    pub fn repair(&self) {
        Program::as_root(system("umount")).arg(&self.folder).run();
        let checked = Program::new(system("e2fsck")).args(["-f", "-y"]).arg(&self.disk).finish();
        assert!(matches!(checked.status.code(), Some(0 | 1)), "nothing is left to correct: {checked}");
        self.attach();
    }

    #[track_caller]
    fn attach(&self) {
        // On a loop device, which the kernel takes back with the last mount.
        let mount = Program::as_root(system("mount")).args(["-o", "loop,errors=remount-ro"]);
        mount.arg(&self.disk).arg(&self.folder).run();
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        let _ = Program::as_root(system("umount")).arg("-l").arg(&self.folder).finish();
    }
}
