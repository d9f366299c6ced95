//! A small file system in memory, which can be full.

use std::path::{Path, PathBuf};

use crate::{Program, Scratch, system};

/// A mounted tmpfs; it is unmounted when this value goes.
#[derive(Debug)]
pub struct Tmpfs {
    folder: PathBuf,
    _scratch: Scratch,
}

impl Tmpfs {
    /// Mounts one of this many MiB.
    #[track_caller]
    pub fn mount(mebibytes: u32) -> Self {
        let scratch = Scratch::new();
        let folder = scratch.folder("small");
        let options = format!("size={mebibytes}m,mode=0777");
        Program::as_root(system("mount")).args(["-t", "tmpfs", "-o", &options, "none"]).arg(&folder).run();
        Self { folder, _scratch: scratch }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Changes its mount options: `ro`, `rw`, `size=…`.
    #[track_caller]
    pub fn remount(&self, options: &str) {
        Program::as_root(system("mount")).args(["-o", &format!("remount,{options}")]).arg(&self.folder).run();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Program::as_root(system("umount")).arg("-l").arg(&self.folder).finish();
    }
}
