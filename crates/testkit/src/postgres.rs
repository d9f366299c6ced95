//! A PostgreSQL server of the tests' own: Debian's, in a temporary folder, reached by a socket in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::geteuid;

use crate::process::PATIENCE;
use crate::until;

/// Where Debian puts the server's programs, one folder a release.
const RELEASES: &str = "/usr/lib/postgresql";

/// Runs the server until its own input ends, which happens when the test's process does, however it ends; then tidies up. Signals
/// to the whole group do not reach it. Nothing is synced: no test takes this server's power away, and its data is thrown away.
const KEEPER: &str = r#"trap '' INT TERM HUP
"$1" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 -c fsync=off >"$2/log" 2>&1 &
server=$!
read -r end
kill -QUIT $server
wait $server
rm -rf "$2""#;

/// A running server. It ends with the process that started it, and its folder goes with it.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    /// Holds the keeper's input open.
    _keeper: Child,
}

impl Postgres {
    /// The server that all tests of this process share.
    #[track_caller]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server with an empty cluster.
    #[track_caller]
    pub fn start() -> Self {
        let programs = programs();
        // Not a folder that goes with a value: the keeper removes it when the server has ended.
        let folder =
            tempfile::Builder::new().prefix("bt-pg-").tempdir().expect("a folder can be made").keep();
        if geteuid().is_root() {
            let owner =
                fs::metadata("/var/lib/postgresql").expect("Debian's package makes the user postgres");
            chown(&folder, Some(owner.uid()), Some(owner.gid())).expect("root gives files away");
        }
        let data = folder.join("data");
        let mut initdb = unprivileged(&programs.join("initdb"));
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]);
        said(initdb.arg("-D").arg(&data));

        let mut keeper = unprivileged(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(programs.join("postgres")).arg(&folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keeper.spawn().expect("a shell can be started");
        let server = Self { folder, programs, _keeper: keeper };
        let socket = server.socket();
        until("PostgreSQL takes connections", PATIENCE, || {
            UnixStream::connect(&socket).ok().filter(|_| server.ask("postgres", "SELECT 1").status.success())
        });
        server
    }

    /// Makes a database that nobody else uses and gives its URL.
    #[track_caller]
    pub fn new_database(&self) -> String {
        self.url(&self.new_name())
    }

    /// Makes a database that nobody else uses and gives its name.
    #[track_caller]
    pub fn new_name(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder.display())
    }

    /// The socket that it listens on.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Runs SQL as the superuser and gives the rows, columns parted by `|`.
    #[track_caller]
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.ask(database, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn ask(&self, database: &str, sql: &str) -> Output {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            database,
            "-c",
            sql,
        ]);
        psql.arg("-h").arg(&self.folder).output().expect("psql can be started")
    }
}

/// The programs of the latest release that is installed.
#[track_caller]
fn programs() -> PathBuf {
    let releases = fs::read_dir(RELEASES).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = releases.map(|release| release.path().join("bin")).collect();
    found.retain(|programs| programs.join("initdb").is_file());
    found.sort();
    found.pop().expect(
        "PostgreSQL is not installed: run `cargo xtask test --only tools` or `apt-get install postgresql`",
    )
}

/// A command that does not run as root, which PostgreSQL refuses.
fn unprivileged(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

#[track_caller]
fn said(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
