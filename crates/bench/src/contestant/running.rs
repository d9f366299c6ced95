//! A contestant that answers, with the ways to give it content.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::client::image::{Image, Way};
use crate::client::push::push;
use crate::content::Content;
use crate::http::Endpoint;
use crate::machine::process::Process;

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_mins(1);

/// How content gets into a server.
#[derive(Debug)]
pub(crate) enum Store {
    /// By pushing it.
    Registry,
    /// By writing it into this directory.
    Files(PathBuf),
}

/// A server under load. Dropping it ends its processes.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    endpoint: Endpoint,
    store: Store,
    process: Option<Process>,
    pid: Option<u32>,
}

impl Running {
    /// A process that the bench started; returns when it answers.
    pub(crate) fn ours(
        name: &str,
        endpoint: Endpoint,
        store: Store,
        process: Process,
    ) -> anyhow::Result<Self> {
        let pid = Some(process.id());
        let mut running = Self { name: name.to_owned(), endpoint, store, process: Some(process), pid };
        running.wait_until_ready().with_context(|| format!("starting {name}"))?;
        Ok(running)
    }

    /// A registry that runs already, in process `pid` where it can be seen.
    pub(crate) fn theirs(name: &str, endpoint: Endpoint, pid: Option<u32>) -> Self {
        Self { name: name.to_owned(), endpoint, store: Store::Registry, process: None, pid }
    }

    /// The name of its column.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its process, where it can be seen.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Gives it `content`; the target to pull it from.
    pub(crate) fn take_blob(&self, repository: &str, content: &Content) -> anyhow::Result<String> {
        match &self.store {
            Store::Registry => {
                push(&self.endpoint, repository, content)?;
                Ok(format!("/v2/{repository}/blobs/{}", content.digest()))
            }
            Store::Files(directory) => {
                let mut file = File::create(directory.join("blob"))?;
                let mut blocks = content.blocks();
                while let Some(block) = blocks.next_block() {
                    file.write_all(block)?;
                }
                Ok("/blob".to_owned())
            }
        }
    }

    /// Gives it a small image; the target to get its manifest from.
    pub(crate) fn take_image(&self, repository: &str, tag: &str, image: &Image) -> anyhow::Result<String> {
        match &self.store {
            Store::Registry => {
                image.push(&mut self.endpoint.log_in()?, repository, tag, Way::Put)?;
                Ok(format!("/v2/{repository}/manifests/{tag}"))
            }
            Store::Files(directory) => {
                fs::write(directory.join("manifest"), image.manifest())?;
                Ok("/manifest".to_owned())
            }
        }
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let target = if matches!(self.store, Store::Registry) { "/v2/" } else { "/" };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .endpoint
                .connect()
                .and_then(|mut connection| connection.exchange("GET", target, "", &[]));
            let refused = match answer {
                // Any answer below 500 shows that requests are served.
                Ok((head, _)) if head.status < 500 => return Ok(()),
                Ok((head, _)) => anyhow::anyhow!("status {}", head.status),
                Err(error) => error,
            };
            if let Some(process) = &mut self.process {
                process.still_runs()?;
            }
            if Instant::now() > deadline {
                return Err(refused.context("it does not get ready"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
