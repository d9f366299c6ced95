//! Berth itself, embedded, as `berth serve` starts it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Contestant, Running, Stage, Store, free_address, version_of};
use crate::certificate::Certificate;
use crate::http::Endpoint;
use crate::machine::process::Process;

/// The name of its column.
pub(crate) const NAME: &str = "Berth";

/// The password of the account that pushes; each server lives on loopback for as long as a line is measured.
const PASSWORD: &str = "Benchmark-1";
/// What that account shows: `admin` and the password, as Basic wants it.
const LOGIN: &str = "Authorization: Basic YWRtaW46QmVuY2htYXJrLTE=\r\n";

/// The `berth` binary.
#[derive(Debug)]
pub(crate) struct Berth {
    program: PathBuf,
}

impl Berth {
    /// The binary at `program`.
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// The binary.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Where the data of a Berth that runs in `room` lies.
    pub(crate) fn data(room: &Path) -> PathBuf {
        room.join("data")
    }
}

impl Contestant for Berth {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> Option<String> {
        version_of(&self.program, "version")
    }

    fn start(&self, room: &Path, stage: &Stage<'_>) -> anyhow::Result<Running> {
        let address = free_address()?;
        // The peers run without an access log too; everything else is as it comes.
        let mut configuration = "log:\n  level: warn\n  access: false\n".to_owned();
        if let Some(certificate) = stage.tls {
            let (chain, key) = (certificate.chain().display(), certificate.key().display());
            write!(configuration, "tls:\n  certificate: {chain}\n  key: {key}\n")?;
        }
        let file = room.join("berth.yaml");
        fs::write(&file, configuration)?;
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--config").arg(&file).arg("--data").arg(Self::data(room));
        command.arg("--listen").arg(address.to_string()).env("BERTH_ADMIN_PASSWORD", PASSWORD);
        let process = Process::start(&mut command, room, stage.leftovers)?;
        let endpoint = Endpoint::new(address, stage.tls.map(Certificate::trust)).with_login(LOGIN);
        Running::ours(NAME, endpoint, Store::Registry, process)
    }
}
