//! What the process takes of its machine, as the kernel tells it, by the names that Prometheus' clients have for it in every language.

use std::time::Duration;
use std::{fmt, fs};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// An entry for each open file.
const FILES: &str = "/proc/self/fd";

/// This process, asked when the metrics are read. What the kernel does not tell is left out.
#[derive(Debug)]
pub(crate) struct Process {
    /// When it began, in seconds since 1970.
    began: Option<f64>,
}

impl Process {
    pub(crate) fn this() -> Self {
        Self { began: began() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stat = Stat::now();
        let mut tell = Telling(&mut encoder);
        let cpu = stat.map(|stat| ConstCounter::new(time(stat.cpu).as_secs_f64()));
        tell.one("process_cpu_seconds", "Time on processors, for the program and in the kernel.", cpu)?;
        let resident = stat.and_then(|stat| gauge(stat.resident * page_size() as u64));
        tell.one(
            "process_resident_memory_bytes",
            "Memory that is in use, with files that are mapped.",
            resident,
        )?;
        tell.one("process_open_fds", "Open files and connections.", open_files().and_then(gauge))?;
        let most = getrlimit(Resource::Nofile).current;
        tell.one("process_max_fds", "Files and connections that may be open.", most.and_then(gauge))?;
        let began = self.began.map(ConstGauge::new);
        tell.one("process_start_time_seconds", "When the process began, in seconds since 1970.", began)
    }
}

struct Telling<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Telling<'_, '_> {
    fn one(&mut self, name: &str, help: &str, value: Option<impl EncodeMetric>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        value.encode(self.0.encode_descriptor(name, help, None, value.metric_type())?)
    }
}

fn gauge(value: u64) -> Option<ConstGauge<i64>> {
    i64::try_from(value).ok().map(ConstGauge::new)
}

/// How many files are open. Newer kernels say so as the directory's size, which takes no file of its own to ask.
fn open_files() -> Option<u64> {
    let said = fs::metadata(FILES).ok()?.len();
    // One is the directory itself, while it is read.
    if said > 0 { Some(said) } else { Some(fs::read_dir(FILES).ok()?.count().saturating_sub(1) as u64) }
}

fn began() -> Option<f64> {
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let boot = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some((Duration::from_secs(boot) + time(Stat::now()?.began)).as_secs_f64())
}

/// The time of this many ticks.
fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / clock_ticks_per_second())
}

/// What is needed of `/proc/self/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    /// Ticks on processors.
    cpu: u64,
    /// Ticks between the machine's start and the process's.
    began: u64,
    /// Pages in memory.
    resident: u64,
}

impl Stat {
    fn now() -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The fields are numbered as in `proc_pid_stat(5)`.
    fn read(text: &str) -> Option<Self> {
        // The second is the program's name in parentheses, whatever that holds.
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<_> = after_name.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self { cpu: field(14)? + field(15)?, began: field(22)?, resident: field(24)? })
    }
}

#[cfg(test)]
mod tests {
    use berth_domain::{Clock, SystemClock};
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn the_name_of_the_program_hides_no_field() {
        let stat = "7 (a) b 1 (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 4 0 12345 99 678 18446744073709551615";
        assert_eq!(Stat::read(stat), Some(Stat { cpu: 300, began: 12345, resident: 678 }));
        assert_eq!(Stat::read("7 (berth) S 1"), None);
    }

    #[test]
    fn what_it_takes_is_told_as_it_changes() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process::this()));
        let now = |name: &str| {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse::<f64>().unwrap()
        };
        let [cpu, files] = ["process_cpu_seconds_total", "process_open_fds"];
        let before = now(files);
        let open: Vec<_> = (0..20).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        assert!(
            (before + 20.0..=now("process_max_fds")).contains(&now(files)),
            "{} after {before}",
            now(files)
        );
        drop(open);
        assert!(now("process_resident_memory_bytes") > 1e6);
        let age = Duration::from_micros(SystemClock.now().as_micros().unsigned_abs()).as_secs_f64()
            - now("process_start_time_seconds");
        // The machine's start is known to the second.
        assert!((-2.0..3600.0).contains(&age), "{age}");
        // Asking takes some.
        let before = now(cpu);
        while now(cpu) <= before {}
    }
}
