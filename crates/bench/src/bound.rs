//! What the machine itself allows a push: one stream of SHA-256, and one durable write.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Instant;

use berth_oci::{Algorithm, Hasher};
use rustix::fs::OFlags;

use crate::content::{BLOCK, noise};
use crate::statistics::{median, real};
use crate::table::Unit;

const ALIGNMENT: usize = 4096;
const DIRECT_WRITE: usize = 4 * BLOCK;

/// GB a second of one SHA-256 over bytes in memory.
pub(crate) fn hash(mebibytes: u64) -> f64 {
    let block = noise(0, BLOCK);
    let begun = Instant::now();
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for _ in 0..mebibytes {
        hasher.update(&block);
    }
    black_box(hasher.digest());
    rate(mebibytes, begun)
}

/// GB a second of writing to the disk of `room` until it is durable: past the page cache or through it, whichever is faster.
pub(crate) fn disk(room: &Path, mebibytes: u64) -> anyhow::Result<f64> {
    let through = write(room, mebibytes, OFlags::empty())?;
    // Not every file system has it.
    let past = write(room, mebibytes, OFlags::DIRECT).unwrap_or_default();
    Ok(through.max(past))
}

fn write(room: &Path, mebibytes: u64, flags: OFlags) -> anyhow::Result<f64> {
    let path = room.join("bound");
    let memory = noise(0, DIRECT_WRITE + ALIGNMENT);
    let aligned = memory.as_ptr().align_offset(ALIGNMENT);
    let piece = &memory[aligned..aligned + DIRECT_WRITE];
    let flags = i32::try_from(flags.bits())?;
    let mut file = File::options().write(true).create(true).truncate(true).custom_flags(flags).open(&path)?;
    let begun = Instant::now();
    for _ in 0..mebibytes / 4 {
        file.write_all(piece)?;
    }
    file.sync_data()?;
    let rate = rate(mebibytes, begun);
    fs::remove_file(&path)?;
    Ok(rate)
}

fn rate(mebibytes: u64, begun: Instant) -> f64 {
    real(mebibytes) * f64::from(1 << 20) / 1e9 / begun.elapsed().as_secs_f64()
}

/// Both medians, for a reader of the table.
pub(crate) fn words(hash: &[f64], disk: &[f64]) -> String {
    let show = |rates| Unit::GigabytesPerSecond.show(median(rates).unwrap_or_default());
    format!(
        "The bound of a push is the slower of one stream of SHA-256 ({}) and one durable write ({}), measured in the same rounds.",
        show(hash),
        show(disk)
    )
}
