//! `berth serve`.

use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context, Result};
use berth_config::{Config, Flag};
use berth_server::{FirstPassword, Server, log};
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

A second signal ends it at once.")]
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
        let logging = log::start(&config.log);
        let server = tokio::select! {
            bound = Server::bind(&config) => bound?,
            () = first.next() => return Ok(ExitCode::SUCCESS),
        };
        let place = (server.address()?, server.metrics_address()?);
        output::say(&greeting(&config, place, server.first_password(), io::stdout().is_terminal()));
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

/// The signals that end the process.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Where Berth is, with its metrics, and what to try: for a person in full, for a program in one line, and without what is secret.
fn greeting(
    config: &Config,
    (address, metrics): (SocketAddr, Option<SocketAddr>),
    first_password: Option<&FirstPassword>,
    is_read_by_a_person: bool,
) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let scheme = if config.tls.certificate.is_some() { "https" } else { "http" };
    let data = match config.embedded_database() {
        Some(_) => config.data.directory.display().to_string(),
        None => format!("PostgreSQL, blobs in {}", config.blob_directory().display()),
    };
    if !is_read_by_a_person {
        let line = format!("Berth {version} listens on {scheme}://{address}, data in {data}");
        let first = first_password
            .map(|first| format!("\nthe first password of admin is in {}", first.file.display()));
        return line + &first.unwrap_or_default();
    }
    let host = reachable(address);
    let first = first_password.map(|first| {
        let (password, file) = (first.password.reveal(), first.file.display());
        format!("The first administrator is admin with the password {password}\n(also in {file}; change it, then remove the file)\n\n")
    });
    let first = first.unwrap_or_default();
    let health = metrics.map(|at| format!("  health   http://{at}/readyz\n")).unwrap_or_default();
    format!(
        "Berth {version}
  address  {scheme}://{address}
{health}  data     {data}

{first}Try it:
  docker login -u admin {host}
  docker tag hello-world {host}/library/hello:1
  docker push {host}/library/hello:1

Ctrl-C ends Berth."
    )
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
    use berth_access::Secret;

    use super::*;

    #[test]
    fn a_first_password_is_printed_for_a_person_only() {
        let place = ("127.0.0.1:5000".parse().unwrap(), None);
        let first =
            FirstPassword { password: Secret::new("Made-up-bef0re"), file: "/srv/admin_password".into() };
        let told = |first, person| greeting(&Config::default(), place, first, person);
        let person = told(Some(&first), true);
        assert!(person.contains("the password Made-up-bef0re\n(also in /srv/admin_password;"), "{person}");
        let program = told(Some(&first), false);
        assert!(program.ends_with("\nthe first password of admin is in /srv/admin_password"), "{program}");
        assert!(!program.contains("Made-up") && !told(None, true).contains("password"));
        assert_eq!(told(None, false).lines().count(), 1);
    }

    #[test]
    fn the_line_to_try_names_an_address_that_can_be_reached() {
        let tried = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(tried("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(tried("[::]:5000"), "[::1]:5000");
        assert_eq!(tried("10.0.0.1:5000"), "10.0.0.1:5000");
    }
}
