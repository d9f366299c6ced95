//! The binary as scripts see it: exit codes, what stands on which stream, signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn berth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    command.args(arguments).env_clear().env("HOME", "/does/not/exist");
    // The raw requests of these tests show it.
    command.env("BERTH_ADMIN_PASSWORD", "Admin-Passw0rd");
    command
}

fn run(arguments: &[&str]) -> Output {
    berth(arguments).output().expect("the binary was built")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts a server on a free port; its address stands in its first line.
fn serve(data: &str) -> (Child, String) {
    serve_logging(data, Stdio::null())
}

/// The same with a log that goes there.
fn serve_logging(data: &str, log: Stdio) -> (Child, String) {
    let mut command = berth(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the binary was built");
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("the server says where it is");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
    (child, address.expect("the line names the address").to_owned())
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

fn asked(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}

#[test]
fn says_its_version_and_how_it_is_used() {
    assert_eq!(out(&run(&["version"])), concat!("berth ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(out(&run(&["--version"])), concat!("berth ", env!("CARGO_PKG_VERSION"), "\n"));
    for arguments in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["config", "--help"],
        vec!["config", "show", "--help"],
        vec!["config", "check", "--help"],
        vec!["fsck", "--help"],
        vec!["backup", "--help"],
        vec!["admin", "--help"],
        vec!["admin", "permissions", "--help"],
        vec!["admin", "reset-password", "--help"],
        vec!["admin", "robots", "--help"],
        vec!["secrets", "--help"],
        vec!["secrets", "rotate", "--help"],
        vec!["secrets", "rotate-token-key", "--help"],
        vec!["restore", "--help"],
        vec!["completions", "--help"],
    ] {
        let help = run(&arguments);
        assert!(help.status.success() && out(&help).contains("Examples:"), "{arguments:?}");
    }
    // Paragraphs, wrapped by whoever prints them: a line that is broken twice leaves one of a few words.
    let help = out(&run(&["fsck", "--help"]));
    let last = help.split("\n\n").last().unwrap_or_default();
    let lines: Vec<&str> = last.trim().lines().collect();
    assert!(lines.iter().rev().skip(1).all(|line| line.len() > 60), "{last}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(out(&run(&["completions", shell])).contains("fsck"), "{shell}");
    }
}

#[test]
fn a_wrong_configuration_ends_with_2_and_words() {
    let refused = run(&["serve", "--listen", "here"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint(&refused).contains("berth: flag --listen: server.listen: \"here\" is not an address"));
    let mut command = berth(&["config", "check", "--data", "/srv"]);
    let refused = command.env("BERTH_SERVER__LISTN", "x").output().expect("the binary was built");
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint(&refused).contains("write BERTH_SERVER__LISTEN"), "{}", complaint(&refused));
    let mut command = berth(&["config", "check", "--data", "/srv"]);
    command.env("BERTH_TLS__CERTIFICATE", "/not/there").env("BERTH_TLS__KEY", "/not/there");
    let refused = command.output().expect("the binary was built");
    assert_eq!(refused.status.code(), Some(2), "it would not start");
    assert!(complaint(&refused).contains("tls.certificate"), "{}", complaint(&refused));
}

#[test]
fn a_check_refuses_the_password_that_a_first_start_refuses() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data").display().to_string();
    let refused = |arguments: &[&str]| {
        let mut command = berth(&[arguments, &["--data", &data]].concat());
        let refused = command.env("BERTH_ADMIN_PASSWORD", "weak").output().expect("the binary was built");
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        complaint(&refused)
    };
    let checked = refused(&["config", "check"]);
    assert!(checked.contains("BERTH_ADMIN_PASSWORD cannot be used"), "{checked}");
    let started = refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(started.ends_with(&checked), "{started} is not {checked}");
}

#[test]
fn shows_where_values_come_from_and_no_secret() {
    let mut command = berth(&["config", "show", "--data", "/srv/berth"]);
    command.env("BERTH_ACCESS__SECRET_KEY", "hush of sixteen bytes");
    command.env("BERTH_DATABASE__URL", "postgres://u:hush@db/berth").env("BERTH_PORT", "tcp://1.2.3.4:5");
    let shown = command.output().expect("the binary was built");
    assert!(shown.status.success());
    let line = |start: &str| {
        let text = out(&shown);
        text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_default().to_owned()
    };
    assert!(line("directory: /srv/berth").ends_with("# flag --data"));
    assert!(line("url: \"********\"").ends_with("# environment variable BERTH_DATABASE__URL"));
    assert!(!out(&shown).contains("hush"));
    assert!(complaint(&shown).contains("warning: environment variable BERTH_PORT"));
}

#[test]
fn serves_until_it_is_told_to_end_and_can_be_checked_and_copied_meanwhile() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (data, copy) = (path("data"), path("copy"));
    assert_eq!(run(&["fsck", "--data", &data]).status.code(), Some(2), "nothing is there yet");

    let (mut server, address) = serve(&data);
    let content = "a".repeat(20_000);
    let digest = "sha256:6aa25b0ef6ab4942bc85f46b8fc6e5c1bdbe4b8cf76bf25b3c2af6ccf6c6b4ca";
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\ncontent-length: 20000\r\n\r\n{content}"
    );
    let refused = asked(&address, &push);
    assert!(refused.starts_with("HTTP/1.1 400"), "a wrong digest is refused: {refused}");
    let right = refused.split("has the digest ").nth(1).and_then(|rest| rest.split(',').next());
    let pushed = asked(&address, &push.replace(digest, right.expect("the answer names the right digest")));
    assert!(pushed.starts_with("HTTP/1.1 201"), "{pushed}");

    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", &data]);
    assert_eq!(second.status.code(), Some(2));
    assert!(complaint(&second).contains(&format!("(process {})", server.id())), "{}", complaint(&second));
    let checked = run(&["fsck", "--deep", "--data", &data]);
    assert_eq!((checked.status.code(), out(&checked).contains("all is well")), (Some(0), true));
    assert_eq!(run(&["backup", "--data", &data, &copy]).status.code(), Some(0));
    signal(&server, "-TERM");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));

    remove_blobs(&directory.path().join("data/blobs/blobs"));
    for (flags, remedy) in [
        (&[][..], "run with --deep --repair to hide it"),
        (&["--deep", "--repair"], "clients do not see it until it is pushed again"),
        (&[], "clients do not see it until it is pushed again"),
    ] {
        let checked = run(&[&["fsck", "--data", &data], flags].concat());
        let found = out(&checked);
        let line = found.lines().find(|line| line.starts_with("missing: sha256:")).unwrap_or_default();
        assert_eq!((checked.status.code(), line.contains(remedy)), (Some(1), true), "{found}");
    }
    let restored = path("restored");
    assert_eq!(run(&["restore", "--data", &restored, &copy]).status.code(), Some(0));
    assert_eq!(run(&["fsck", "--deep", "--data", &restored]).status.code(), Some(0));
    assert_eq!(run(&["restore", "--data", &restored, &copy]).status.code(), Some(2), "not over another one");
}

fn remove_blobs(directory: &Path) {
    for fan_out in std::fs::read_dir(directory).expect("the blobs' directory") {
        std::fs::remove_dir_all(fan_out.expect("an entry").path()).expect("it can be removed");
    }
}

#[test]
fn a_first_password_that_was_made_up_is_named_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data").display().to_string();
    let said = || {
        let mut command = berth(&["serve", "--listen", "127.0.0.1:0", "--data", &data]);
        let command = command.env_remove("BERTH_ADMIN_PASSWORD").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary was built");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut text = String::new();
        output.read_line(&mut text).expect("the server says where it is");
        signal(&child, "-TERM");
        output.read_to_string(&mut text).expect("the server ends");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        text
    };
    let first = said();
    let file = format!("{data}/admin_password");
    let password = std::fs::read_to_string(&file).expect("the file is there");
    assert!(first.contains(&format!("the first password of admin is in {file}")), "{first}");
    assert!(!first.contains(password.trim_end()), "logs are read by many");
    let second = said();
    assert!(!second.contains("password"), "{second}");
}

#[test]
fn a_hangup_ends_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut server, address) = serve_logging(&directory.path().display().to_string(), Stdio::piped());
    let log = BufReader::new(server.stderr.take().expect("it is piped"));
    signal(&server, "-HUP");
    let told = log.lines().map_while(Result::ok).find(|line| line.contains("SIGHUP"));
    assert!(told.expect("a line, not the end").contains("takes a restart"));
    // Nor is anything lost with the terminal, which takes the log no more.
    let healthy = asked(&address, "GET /healthz HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n");
    assert!(healthy.starts_with("HTTP/1.1 200"), "{healthy}");
    signal(&server, "-TERM");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut server, address) = serve(&directory.path().display().to_string());
    let start = "POST /v2/library/hello/blobs/uploads/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let started = asked(&address, start);
    let location = started.lines().find_map(|line| line.strip_prefix("location: ")).expect("a session");
    let mut upload = TcpStream::connect(&address).expect("the server listens");
    write!(upload, "PATCH {location} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 9\r\n\r\nhalf")
        .expect("the server reads");
    while !asked(&address, "GET /metrics HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\n\r\n")
        .contains("berth_uploads 1")
    {}
    signal(&server, "-INT");
    // The first one is seen when nobody is let in any more.
    while TcpStream::connect(&address).is_ok() {}
    signal(&server, "-INT");
    assert_eq!(server.wait().expect("it ends").code(), Some(1));
}
