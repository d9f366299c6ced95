//! distribution, the registry that most others are built on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Contestant, Running, Stage, Store, free_address, version_of};
use crate::certificate::Certificate;
use crate::http::Endpoint;
use crate::machine::process::Process;

/// The `registry` binary of distribution v3.
#[derive(Debug)]
pub(crate) struct Distribution {
    program: PathBuf,
}

impl Distribution {
    /// Looks for `registry-3*/bin/registry` among the tools, the highest version first.
    pub(crate) fn find(tools: &Path) -> Option<Self> {
        let entries = fs::read_dir(tools).ok()?.flatten();
        let versions = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("registry-3"));
        let programs = versions.map(|entry| entry.path().join("bin/registry"));
        programs.filter(|program| program.exists()).max().map(|program| Self { program })
    }
}

impl Contestant for Distribution {
    fn name(&self) -> &'static str {
        "distribution"
    }

    fn version(&self) -> Option<String> {
        version_of(&self.program, "--version")
    }

    fn start(&self, room: &Path, stage: &Stage<'_>) -> anyhow::Result<Running> {
        let address = free_address()?;
        let tls = stage.tls.map_or_else(String::new, |certificate| {
            let (chain, key) = (certificate.chain().display(), certificate.key().display());
            format!("  tls:\n    certificate: {chain}\n    key: {key}\n")
        });
        let configuration = format!(
            "version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: {}
http:
  addr: {address}
{tls}",
            room.join("data").display()
        );
        let file = room.join("config.yml");
        fs::write(&file, configuration)?;
        let mut command = Command::new(&self.program);
        // Without this it would spend its time on sending traces to nobody.
        command.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none");
        let process = Process::start(&mut command, room, stage.leftovers)?;
        let endpoint = Endpoint::new(address, stage.tls.map(Certificate::trust));
        Running::ours(self.name(), endpoint, Store::Registry, process)
    }
}
