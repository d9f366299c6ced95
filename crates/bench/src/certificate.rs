//! A certificate for one run, made by OpenSSL's program and trusted by the load generator only.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The files that servers are told of, and the trust that clients need.
#[derive(Debug)]
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    trust: Arc<ClientConfig>,
}

impl Certificate {
    /// Makes a certificate for 127.0.0.1 in `room`.
    pub(crate) fn make(room: &Path) -> anyhow::Result<Self> {
        let (chain, key) = (room.join("certificate.pem"), room.join("key.pem"));
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
            // Trusted directly, so it must be no authority: an authority may not serve.
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "7"])
            .arg("-out")
            .arg(&chain)
            .arg("-keyout")
            .arg(&key)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("running openssl, which makes the certificate for the lines with TLS")?;
        anyhow::ensure!(status.success(), "openssl made no certificate ({status})");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&chain)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let trust = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { chain, key, trust: Arc::new(trust) })
    }

    /// The file with the certificate.
    pub(crate) fn chain(&self) -> &Path {
        &self.chain
    }

    /// The file with the private key.
    pub(crate) fn key(&self) -> &Path {
        &self.key
    }

    /// What a client trusts; `http/1.1` without ALPN.
    pub(crate) fn trust(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.trust)
    }
}
