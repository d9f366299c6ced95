//! Encryption of the clients' connections.

use std::path::PathBuf;

use crate::value::Alpn;
use crate::{Finding, setting};

setting::table! {
    /// Encryption of the clients' connections. Without a certificate they are plain.
    pub struct Tls(tls) {
        /// The certificate chain as a PEM file, Berth's own certificate first. Read again when it changes.
        certificate: Option<PathBuf> = "",
        /// The certificate's private key as a PEM file. Read again when it changes.
        key: Option<PathBuf> = "",
        /// The protocols to offer, best first. One stream is a third faster over `http/1.1` than over `h2`.
        alpn: Alpn = "http/1.1, h2",
    }
}

impl Tls {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        match (&self.certificate, &self.key) {
            (Some(_), None) => {
                findings.push(Finding::new(
                    "tls",
                    "certificate",
                    "a certificate needs its key; set tls.key too",
                ));
            }
            (None, Some(_)) => {
                findings.push(Finding::new(
                    "tls",
                    "key",
                    "a key needs its certificate; set tls.certificate too",
                ));
            }
            _ => {}
        }
    }
}
