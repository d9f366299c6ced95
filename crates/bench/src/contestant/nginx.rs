//! nginx with two workers and `sendfile`: the yardstick for serving a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Contestant, Running, Stage, Store, free_address, version_of};
use crate::certificate::Certificate;
use crate::http::Endpoint;
use crate::machine::process::Process;

/// nginx from the search path.
#[derive(Debug)]
pub(crate) struct Nginx;

impl Contestant for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn version(&self) -> Option<String> {
        version_of(program(), "-v")
    }

    fn is_registry(&self) -> bool {
        false
    }

    fn start(&self, room: &Path, stage: &Stage<'_>) -> anyhow::Result<Running> {
        let files = room.join("files");
        fs::create_dir_all(&files)?;
        let address = free_address()?;
        let (listen, tls) = match stage.tls {
            None => (String::new(), String::new()),
            Some(certificate) => (
                " ssl".to_owned(),
                format!(
                    "ssl_certificate {};\n    ssl_certificate_key {};\n    ssl_protocols TLSv1.2 TLSv1.3;",
                    certificate.chain().display(),
                    certificate.key().display()
                ),
            ),
        };
        let configuration = room.join("nginx.conf");
        fs::write(&configuration, configuration_text(room, &format!("{address}{listen}"), &tls))?;
        let mut command = Command::new(program());
        command.arg("-c").arg(&configuration).arg("-p").arg(room).arg("-e").arg(room.join("error.log"));
        let process = Process::start(&mut command, room, stage.leftovers)?;
        let endpoint = Endpoint::new(address, stage.tls.map(Certificate::trust));
        Running::ours(self.name(), endpoint, Store::Files(files), process)
    }
}

/// Debian keeps it where only root's search path leads.
fn program() -> &'static Path {
    let usual = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(Path::new);
    usual.into_iter().find(|path| path.exists()).unwrap_or(Path::new("nginx"))
}

/// Everything inside `room`; a cache of open files, because that is how nginx is fastest.
fn configuration_text(room: &Path, listen: &str, tls: &str) -> String {
    let room = room.display();
    format!(
        "user root root;
daemon off;
worker_processes 2;
pid {room}/nginx.pid;
error_log {room}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  client_body_temp_path {room}/body;
  proxy_temp_path {room}/proxy;
  fastcgi_temp_path {room}/fastcgi;
  uwsgi_temp_path {room}/uwsgi;
  scgi_temp_path {room}/scgi;
  server {{
    listen {listen};
    root {room}/files;
    {tls}
  }}
}}
"
    )
}
