//! `berth serve`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use berth_config::{Config, Flag};
use berth_server::{Server, log};
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output;
use crate::settings::ConfigFlags;

/// Starts the registry; Ctrl-C or SIGTERM ends it after the requests under way
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth serve
  berth serve --listen 0.0.0.0:5000 --data /srv/berth
  berth serve --config /etc/berth.yaml
  BERTH_DATABASE__URL_FILE=/run/secrets/database berth serve

A second signal ends it at once. SIGHUP ends nothing, whether a terminal closes or somebody asks for
a reload: a renewed certificate is read by itself, and any other setting takes a restart.")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: ConfigFlags,
    /// The address and port to listen on [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let listen =
            self.listen.map(|value| Flag { name: "--listen", section: "server", key: "listen", value });
        let config = self.flags.load(listen.into_iter().collect())?.config;
        let (mut first, mut both) = (Signals::new()?, Signals::new()?);
        outlive_hangups()?;
        let logging = log::start(&config.log);
        let server = tokio::select! {
            bound = Server::bind(&config) => bound?,
            () = first.next() => return Ok(ExitCode::SUCCESS),
        };
        let told = Told {
            config: &config,
            address: server.address()?,
            metrics: server.metrics_address()?,
            first_password: server.first_password().map(|first| (first.password.reveal(), &*first.file)),
        };
        let to_a_person = io::stdout().is_terminal();
        output::say(&if to_a_person { told.to_a_person() } else { told.to_a_program() });
        let complete = tokio::select! {
            complete = server.serve(first.next()) => complete,
            () = async { both.next().await; both.next().await } => {
                output::complain("berth: ended at once by a second signal");
                false
            }
        };
        drop(logging);
        Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Goes on at SIGHUP, as servers do: it comes when a terminal closes, and from whoever expects the settings to be read again.
fn outlive_hangups() -> Result<()> {
    let mut hangups = listen(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tracing::info!(
                "SIGHUP: a renewed certificate is read by itself, any other setting takes a restart"
            );
        }
    });
    Ok(())
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).context("signals cannot be listened for")
}

/// The signals that end the process.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What is told at the start: where Berth is and what to try.
struct Told<'a> {
    config: &'a Config,
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    /// The first administrator's password and its file, if this start made it up.
    first_password: Option<(&'a str, &'a Path)>,
}

impl Told<'_> {
    fn url(&self) -> String {
        let scheme = if self.config.tls.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    fn data(&self) -> String {
        match self.config.embedded_database() {
            Some(_) => self.config.data.directory.display().to_string(),
            None => format!("PostgreSQL, blobs in {}", self.config.blob_directory().display()),
        }
    }

    /// Line by line what is needed to go on, and no secret: it may end in a log.
    fn to_a_program(&self) -> String {
        let (version, url, data) = (env!("CARGO_PKG_VERSION"), self.url(), self.data());
        let host = reachable(self.address);
        let mut told = format!(
            "Berth {version} listens on {url}, data in {data}\nto try it: docker push {host}/library/hello:1"
        );
        if let Some((_, file)) = self.first_password {
            let _ = write!(told, "\nthe first password of admin is in {}", file.display());
        }
        told
    }

    /// In full.
    fn to_a_person(&self) -> String {
        let (version, url, data) = (env!("CARGO_PKG_VERSION"), self.url(), self.data());
        let host = reachable(self.address);
        let health = self.metrics.map(|at| format!("  health   http://{at}/readyz\n")).unwrap_or_default();
        let first = self.first_password.map(|(password, file)| {
            let file = file.display();
            format!("The first administrator is admin with the password {password}\n(also in {file}; change it, then remove the file)\n\n")
        });
        let first = first.unwrap_or_default();
        format!(
            "Berth {version}
  address  {url}
{health}  data     {data}

{first}Try it:
  docker login -u admin {host}
  docker tag hello-world {host}/library/hello:1
  docker push {host}/library/hello:1

Ctrl-C ends Berth."
        )
    }
}

/// An address that a client on this machine can use.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let ipv4 = address.is_ipv4();
        address.set_ip(if ipv4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(config: &'a Config, metrics: Option<&str>, first: Option<(&'a str, &'a Path)>) -> Told<'a> {
        Told {
            config,
            address: "0.0.0.0:5000".parse().unwrap(),
            metrics: metrics.map(|at| at.parse().unwrap()),
            first_password: first,
        }
    }

    #[test]
    fn a_person_is_told_what_to_try_and_a_log_no_secret() {
        let mut config = Config::default();
        config.data.directory = "/srv/berth".into();
        let file = Path::new("/srv/berth/admin_password");
        let first = told(&config, Some("127.0.0.1:9090"), Some(("hush", file)));
        let person = first.to_a_person();
        for line in [
            "  address  http://0.0.0.0:5000",
            "  health   http://127.0.0.1:9090/readyz",
            "  data     /srv/berth",
            "The first administrator is admin with the password hush",
            "  docker login -u admin 127.0.0.1:5000",
            "  docker push 127.0.0.1:5000/library/hello:1",
        ] {
            assert!(person.lines().any(|told| told == line), "{line} is not in\n{person}");
        }
        let program = first.to_a_program();
        assert!(
            program.starts_with("Berth ")
                && program.contains(" listens on http://0.0.0.0:5000, data in /srv/berth\n")
        );
        assert!(program.contains("docker push 127.0.0.1:5000/library/hello:1"), "{program}");
        assert!(program.contains("/srv/berth/admin_password") && !program.contains("hush"), "{program}");

        config.tls.certificate = Some("/cert.pem".into());
        config.database.url = berth_config::Secret::new("postgres://u:hush@db/berth");
        let again = told(&config, None, None);
        for told in [again.to_a_person(), again.to_a_program()] {
            assert!(
                told.contains("https://0.0.0.0:5000")
                    && told.contains("PostgreSQL, blobs in /srv/berth/blobs")
            );
            assert!(
                !told.contains("hush") && !told.contains("password") && !told.contains("health"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_readme_shows_what_a_terminal_shows() {
        let mut config = Config::default();
        config.data.directory = "/home/you/.local/share/berth".into();
        let file = config.data.directory.join("admin_password");
        let told = Told {
            config: &config,
            address: config.server.listen,
            metrics: None,
            first_password: Some(("3kTz8Qm1vYb6Rf0WxNc5Jh2Ld7Gp4SaE", &file)),
        };
        let readme = include_str!("../../../../README.md");
        assert!(readme.contains(&format!("$ cargo run --release -- serve\n{}\n```", told.to_a_person())));
    }

    #[test]
    fn the_line_to_try_names_an_address_that_can_be_reached() {
        let tried = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(tried("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(tried("[::]:5000"), "[::1]:5000");
        assert_eq!(tried("10.0.0.1:5000"), "10.0.0.1:5000");
    }
}
