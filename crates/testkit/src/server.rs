//! The real binary on a data directory and a port of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use crate::credentials::{self, ADMIN_PASSWORD};
use crate::movable_clock::MovableClock;
use crate::process::{Process, tail};
use crate::{Connection, Program, Repository, Request, Scratch, free_port, tools};

/// The log's name in the server's folder.
const LOG: &str = "server.log";

/// What a server is started with.
#[derive(Debug)]
pub struct ServerSetup {
    data: Option<PathBuf>,
    settings: Vec<(String, String)>,
    obeys_modes: bool,
    moves_clock: bool,
}

impl ServerSetup {
    /// Sets `section.key`, as `BERTH_SECTION__KEY` does.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push((variable(key), value.to_string()));
        self
    }

    /// Does not set what every server of a story is started with.
    #[must_use]
    pub fn unset(mut self, key: &str) -> Self {
        self.settings.retain(|(name, _)| *name != variable(key));
        self
    }

    /// Uses this data directory instead of a new one.
    #[must_use]
    pub fn data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Files that it may not touch are closed to it even if it is root, who may touch all.
    #[must_use]
    pub fn obeying_modes(mut self) -> Self {
        self.obeys_modes = true;
        self
    }

    /// Its clock can be moved by [`BerthServer::set_clock_ahead`].
    #[must_use]
    pub fn with_movable_clock(mut self) -> Self {
        self.moves_clock = true;
        self
    }

    /// Starts the server and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> BerthServer {
        let scratch = Scratch::new();
        let data = self.data.unwrap_or_else(|| scratch.join("data"));
        let (settings, obeys_modes) = (self.settings, self.obeys_modes);
        let clock = self.moves_clock.then(|| MovableClock::new(scratch.path()));
        let port = free_port();
        let credentials = credentials::know(&address(port));
        let process = None;
        let mut server = BerthServer {
            process,
            data,
            port,
            settings,
            obeys_modes,
            clock,
            scratch,
            _credentials: credentials,
        };
        server.start_again();
        server
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The environment variable of `section.key`, or of a short name.
fn variable(key: &str) -> String {
    format!("BERTH_{}", key.to_uppercase().replace('.', "__"))
}

/// What every server of a story is started with, unless the story sets it otherwise: an administrator, pushes that make their
/// projects, and a hash that costs little.
fn defaults() -> Vec<(String, String)> {
    [
        ("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD),
        ("BERTH_ACCESS__SECRET_KEY", "the secret key of the stories"),
        ("BERTH_ACCESS__PASSWORD_MEMORY", "8MiB"),
        ("BERTH_ACCESS__PASSWORD_ITERATIONS", "1"),
        ("BERTH_PROJECTS__CREATE_ON_PUSH", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A running server. When the test fails, the end of its log is shown.
#[derive(Debug)]
pub struct BerthServer {
    // Before the folder, so that the process is gone when its files go.
    process: Option<Process>,
    data: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
    obeys_modes: bool,
    clock: Option<MovableClock>,
    scratch: Scratch,
    /// With which clients log in to it.
    _credentials: Arc<Scratch>,
}

impl BerthServer {
    /// Starts a server with the defaults.
    #[track_caller]
    pub fn start() -> Self {
        Self::setup().start()
    }

    /// A server to be started with other settings.
    pub fn setup() -> ServerSetup {
        ServerSetup { data: None, settings: defaults(), obeys_modes: false, moves_clock: false }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        address(self.port)
    }

    /// `127.0.0.1:port/name`, as clients write it.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A plain client of one repository.
    pub fn repository(&self, name: &str) -> Repository {
        Repository::new(&self.address(), name)
    }

    /// A connection of its own.
    #[track_caller]
    pub fn connect(&self) -> Connection {
        Connection::open(&self.address())
            .unwrap_or_else(|error| panic!("cannot connect: {error}\n{}", self.log()))
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: &Request) -> crate::Response {
        let answer = self.connect().ask(request);
        answer.unwrap_or_else(|error| {
            panic!("{} {}: {error}\n{}", request.method(), request.path(), self.log())
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().map(Process::id).expect("the server runs")
    }

    /// From now on its clock is so much ahead of the machine's.
    #[track_caller]
    pub fn set_clock_ahead(&self, by: Duration) {
        self.clock.as_ref().expect("started with a movable clock").set_ahead(by);
    }

    /// How much memory of its own it holds, in bytes.
    #[track_caller]
    pub fn anonymous_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("the kernel says so");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes << 10
    }

    /// Kills it as a loss of power would.
    pub fn kill(&mut self) {
        let id = self.process.take().map(|process| process.id());
        if let Some(id) = id.filter(|_| self.clock.is_some()) {
            MovableClock::forget(id);
        }
    }

    /// Asks it to end, and waits for that.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.process.take().expect("the server runs").stop()
    }

    /// Waits until it has ended by itself, after [`BerthServer::ask_to_stop`].
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        self.process.take().expect("the server runs").ended()
    }

    /// Sends it SIGTERM and does not wait; a second one would end it at once.
    pub fn ask_to_stop(&mut self) {
        self.process.as_mut().expect("the server runs").signal(rustix::process::Signal::TERM);
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// Starts it again on the same data and port, and waits until it is ready.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server still runs");
        let mut command = self.command();
        command.arg("serve").arg("--data").arg(&self.data).arg("--listen").arg(self.address());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = &self.clock {
            clock.show(&mut command);
        }
        // No file of the machine's user is read.
        command.env("XDG_CONFIG_HOME", self.scratch.path()).env("XDG_DATA_HOME", self.scratch.path());
        let mut process = Process::start(command, &self.scratch.join(LOG));
        let address = self.address();
        process.wait_until("is ready", || {
            let ready = Connection::open(&address).and_then(|mut it| it.ask(&Request::get("/readyz")));
            ready.is_ok_and(|answer| answer.status == 200)
        });
        self.process = Some(process);
    }

    fn command(&self) -> Command {
        if !self.obeys_modes || !rustix::process::geteuid().is_root() {
            return Command::new(tools::berth());
        }
        let mut command = Command::new("setpriv");
        command.arg("--bounding-set=-dac_override,-dac_read_search").arg(tools::berth());
        command
    }

    /// A subcommand of the binary by itself.
    pub fn program(subcommand: &str) -> Program {
        Program::new(tools::berth()).arg(subcommand)
    }

    /// A subcommand of the binary, of one word or more, with this server's settings and data directory.
    pub fn berth(&self, subcommand: &str) -> Program {
        let words = subcommand.split(' ');
        let program = Program::new(tools::berth()).args(words).arg("--data").arg(&self.data);
        self.settings.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Panics unless a deep check finds nothing wrong. Fresh bytes that nothing names may lie about: a process that was killed
    /// leaves them, and a push under way looks the same.
    #[track_caller]
    pub fn assert_sound(&self) {
        let finished = self.berth("fsck").arg("--deep").run();
        let text = finished.text();
        let (findings, summary) = text.rsplit_once('\n').unwrap_or(("", &text));
        assert!(summary.starts_with("looked at "), "{finished}");
        assert!(findings.lines().all(|finding| finding.starts_with("recent: ")), "{finished}");
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        tail(&self.scratch.join(LOG))
    }
}

impl Drop for BerthServer {
    #[expect(clippy::print_stderr, reason = "the log helps whoever reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the server\n{}", self.log());
        }
        self.kill();
    }
}
