//! Names the machine, so that the numbers of a table can be judged.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Context as _;

/// What a reader has to know of the machine.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    sha_instructions: bool,
    memory_gib: u64,
    kernel: String,
    file_system: String,
}

impl Machine {
    /// Looks at this machine; `room` lies on the disk that is measured.
    pub(crate) fn look(room: &Path) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or("unknown").to_owned(),
            cores: cores(),
            sha_instructions: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|f| f == "sha_ni"))
                || field(&cpuinfo, "Features").is_some_and(|flags| flags.split(' ').any(|f| f == "sha2")),
            memory_gib: memory_gib(&read("/proc/meminfo")),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mounts"), room),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, memory_gib, kernel, file_system, .. } = self;
        let sha = if self.sha_instructions { "with" } else { "without" };
        write!(
            f,
            "{cpu}, {cores} cores ({sha} SHA instructions), {memory_gib} GiB RAM, Linux {kernel}, {file_system}"
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn memory_gib(meminfo: &str) -> u64 {
    let kibibytes =
        field(meminfo, "MemTotal").and_then(|total| total.strip_suffix(" kB")?.trim().parse::<u64>().ok());
    // Rounded up: the kernel keeps a part of the machine's memory for itself.
    kibibytes.unwrap_or(0).div_ceil(1024 * 1024)
}

fn file_system(mounts: &str, room: &Path) -> String {
    let holding = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, place, kind) = (fields.next()?, fields.next()?, fields.next()?);
        room.starts_with(place).then(|| (place.len(), format!("{kind} on {device}")))
    });
    // A later mount on the same place hides the earlier one, and `max_by_key` keeps the last of equals.
    holding
        .max_by_key(|(length, _)| *length)
        .map_or_else(|| "unknown file system".to_owned(), |(_, text)| text)
}

/// Bytes that a user may still write to the disk of `room`.
pub(crate) fn free_bytes(room: &Path) -> anyhow::Result<u64> {
    let disk = rustix::fs::statvfs(room)
        .with_context(|| format!("asking for the free space of {}", room.display()))?;
    Ok(disk.f_bavail * disk.f_frsize)
}

/// How many processes wanted to run at once over the last minute, when that is too many for a fair measurement.
pub(crate) fn busy() -> Option<f64> {
    let load: f64 = read("/proc/loadavg").split(' ').next()?.parse().ok()?;
    let cores = u32::try_from(cores()).ok()?;
    (load > f64::from(cores) / 2.0).then_some(load)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Writes every dirty page back, so that one server's unsynced bytes are not charged to the next.
pub(crate) fn settle_disk() {
    // A failure only makes the measurement noisier.
    let _ = Command::new("sync").status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_names_the_file_system() {
        let mounts = "/dev/a / ext4 rw 0 0\n/dev/b /srv xfs rw 0 0\ntmpfs /srv/tmp tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/srv/data")), "xfs on /dev/b");
        assert_eq!(file_system(mounts, Path::new("/srvx")), "ext4 on /dev/a");
    }

    #[test]
    fn memory_is_rounded_up_to_what_was_bought() {
        assert_eq!(memory_gib("MemFree: 1 kB\nMemTotal:       24683520 kB\n"), 24);
    }
}
