//! A virtual machine's disk as KubeVirt ships it: a containerDisk, one layer with `disk/disk.qcow2` in it.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use berth_oci::{Algorithm, Digest, Hasher};

use crate::content::{BLOCK, header};
use crate::{Program, Random, random_bytes, system};

/// A tar layer with a sparse disk in it. It is never in memory as a whole and takes little space on disk.
#[derive(Debug)]
pub struct DiskLayer {
    disk: PathBuf,
    disk_size: u64,
    head: Vec<u8>,
    digest: Digest,
    len: u64,
}

impl DiskLayer {
    /// Makes a qcow2 of `gibibytes` with some random data at random places, in `folder`.
    #[track_caller]
    pub fn new(folder: &Path, gibibytes: u64) -> Self {
        let disk = folder.join("disk.qcow2");
        let make = Program::new(system("qemu-img")).args([
            "create",
            "-q",
            "-f",
            "qcow2",
            "-o",
            "preallocation=metadata",
        ]);
        make.arg(&disk).arg(format!("{gibibytes}G")).run();
        scatter(&disk, gibibytes << 30);
        let disk_size = disk.metadata().expect("the disk was made").len();
        let head = header("disk/disk.qcow2", disk_size);
        let mut layer = Self { disk, disk_size, head, digest: Digest::sha256(b""), len: 0 };
        let mut hasher = Hasher::new(Algorithm::Sha256);
        layer.len = copy(&mut layer.reader(), |bytes| hasher.update(bytes)).expect("the disk can be read");
        layer.digest = hasher.digest();
        layer
    }

    /// The layer from its beginning.
    pub fn reader(&self) -> Box<dyn Read + Send> {
        self.reader_from(0)
    }

    /// The layer from a byte on, as a client reads that resumes.
    pub fn reader_from(&self, offset: u64) -> Box<dyn Read + Send> {
        let head_len = self.head.len() as u64;
        let head = self.head[usize::try_from(offset.min(head_len)).expect("a short head")..].to_vec();
        let mut file = File::open(&self.disk).expect("the disk is there");
        let in_file = offset.saturating_sub(head_len).min(self.disk_size);
        file.seek(SeekFrom::Start(in_file)).expect("a file can be sought");
        let end = self.disk_size.next_multiple_of(BLOCK as u64) - self.disk_size + 2 * BLOCK as u64;
        let skipped = offset.saturating_sub(head_len + self.disk_size).min(end);
        Box::new(
            io::Cursor::new(head)
                .chain(file.take(self.disk_size - in_file))
                .chain(io::repeat(0).take(end - skipped)),
        )
    }

    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its length in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The length of the disk in it.
    pub const fn disk_size(&self) -> u64 {
        self.disk_size
    }

    /// Never.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of it.
    pub fn part(&self, offset: u64, len: usize) -> Vec<u8> {
        let mut part = Vec::with_capacity(len);
        self.reader_from(offset).take(len as u64).read_to_end(&mut part).expect("the disk can be read");
        part
    }
}

/// Puts random data at random places beyond the format's own tables.
fn scatter(disk: &Path, size: u64) {
    let mut random = Random::new(6);
    let mut file = File::options().write(true).open(disk).expect("the disk was made");
    for seed in 0..32 {
        let place = (64 << 20) + random.below(size - (128 << 20));
        file.seek(SeekFrom::Start(place)).expect("a file can be sought");
        file.write_all(&random_bytes(seed, 1 << 20)).expect("the disk can be written");
    }
}

fn copy(reader: &mut dyn Read, mut each: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(total);
        }
        each(&buffer[..read]);
        total += read as u64;
    }
}
