//! TLS: the certificate that is offered now, read again when its files change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use arc_swap::ArcSwap;
use berth_config::section::Tls;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::{MissedTickBehavior, interval};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The certificate and its files.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: [PathBuf; 2],
    provider: Arc<CryptoProvider>,
    now: ArcSwap<CertifiedKey>,
    seen: Mutex<Seen>,
}

/// What the files looked like.
#[derive(Debug)]
struct Seen {
    /// When the certificate was read that is offered.
    read: Stamp,
    /// When they last could not be used, and it was told.
    told: Option<Stamp>,
}

/// What changes when a file does: device, inode, size, seconds, nanoseconds.
type Stamp = [Option<(u64, u64, u64, i64, i64)>; 2];

impl Certificate {
    /// Reads the files that the settings name; `None` if they name none.
    pub(crate) fn open(settings: &Tls) -> Result<Option<Arc<Self>>> {
        let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else { return Ok(None) };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = [certificate.clone(), key.clone()];
        let seen = Mutex::new(Seen { read: stamp(&files), told: None });
        let now = ArcSwap::from_pointee(read(&files, &provider)?);
        Ok(Some(Arc::new(Self { files, provider, now, seen })))
    }

    /// What makes connections secret.
    pub(crate) fn server_config(self: &Arc<Self>, settings: &Tls) -> Result<Arc<ServerConfig>> {
        let certificate: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        let protocols = settings.alpn.protocols().iter();
        config.alpn_protocols = protocols.map(|protocol| protocol.as_str().as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// Looks at the files for ever. New ones that cannot be used are told of, once, and the old ones stay; they are tried again
    /// with each look, because what stands in the way may pass.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let certificate = Arc::clone(&self);
            // The files may lie on a slow volume.
            let _ = tokio::task::spawn_blocking(move || certificate.look()).await;
        }
    }

    fn look(&self) {
        let found = stamp(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.read == found {
            return;
        }
        match read(&self.files, &self.provider) {
            Ok(fresh) => {
                self.now.store(Arc::new(fresh));
                *seen = Seen { read: found, told: None };
                tracing::info!(file = %self.files[0].display(), "the TLS certificate was read again");
            }
            Err(_) if seen.told == Some(found) => {}
            Err(error) => {
                seen.told = Some(found);
                tracing::warn!("the old TLS certificate stays: {error:#}");
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.load_full())
    }
}

fn read(files: &[PathBuf; 2], provider: &CryptoProvider) -> Result<CertifiedKey> {
    let [certificate, key] = files;
    let pem = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let chain = CertificateDer::pem_slice_iter(&pem(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} is no PEM file with certificates", certificate.display()))?;
    ensure!(!chain.is_empty(), "{} holds no certificate", certificate.display());
    let private = PrivateKeyDer::from_pem_slice(&pem(key)?)
        .with_context(|| format!("{} is no PEM file with a private key", key.display()))?;
    CertifiedKey::from_der(chain, private, provider).with_context(|| {
        format!(
            "the key in {} does not belong to the certificate in {}",
            key.display(),
            certificate.display()
        )
    })
}

fn stamp(files: &[PathBuf; 2]) -> Stamp {
    files.each_ref().map(|file| {
        let found = fs::metadata(file).ok()?;
        Some((found.dev(), found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::tests::written::Written;

    #[test]
    fn files_that_cannot_be_used_change_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let issue = || {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
            fs::write(file("cert.pem"), made.cert.pem()).unwrap();
            made.cert.der().clone()
        };
        let first = issue();
        let (certificate, key) = (Some(file("cert.pem")), Some(file("key.pem")));
        let served = Certificate::open(&Tls { certificate, key, ..Tls::default() }).unwrap().unwrap();
        let offered = || served.now.load().cert[0].clone();
        for junk in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            fs::write(file("cert.pem"), junk).unwrap();
            served.look();
            assert_eq!(offered(), first);
        }
        let second = issue();
        served.look();
        assert_eq!(offered(), second);
        fs::remove_file(file("key.pem")).unwrap();
        served.look();
        assert_eq!(offered(), second);
    }

    #[test]
    fn what_cannot_be_read_for_a_moment_is_read_after_it_and_told_once() {
        let (written, _logging) = Written::here();
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let write = |key: &[u8], certificate: &[u8]| {
            fs::write(file("key.pem"), key).unwrap();
            fs::write(file("cert.pem"), certificate).unwrap();
            let moment = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
            for name in ["key.pem", "cert.pem"] {
                fs::File::options().write(true).open(file(name)).unwrap().set_modified(moment).unwrap();
            }
        };
        let first = made();
        fs::write(file("key.pem"), first.signing_key.serialize_pem()).unwrap();
        fs::write(file("cert.pem"), first.cert.pem()).unwrap();
        let (certificate, key) = (Some(file("cert.pem")), Some(file("key.pem")));
        let served = Certificate::open(&Tls { certificate, key, ..Tls::default() }).unwrap().unwrap();
        let offered = || served.now.load().cert[0].clone();
        // Whatever stood in the way of the first looks, the files look the same in the last one.
        let second = made();
        let (key, certificate) = (second.signing_key.serialize_pem(), second.cert.pem());
        write(key.as_bytes(), &vec![0; certificate.len()]);
        for _ in 0..3 {
            served.look();
            assert_eq!(offered(), *first.cert.der());
        }
        write(key.as_bytes(), certificate.as_bytes());
        served.look();
        assert_eq!(offered(), *second.cert.der());
        assert_eq!(written.text().matches("the old TLS certificate stays").count(), 1, "{}", written.text());
    }
}
