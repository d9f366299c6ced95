//! Who the stories' clients are: the administrator, unless a story says otherwise; and the files in which real clients look for
//! that.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::json;

use crate::Scratch;

/// The first administrator's name.
pub const ADMIN: &str = "admin";
/// The first administrator's password in every story.
pub const ADMIN_PASSWORD: &str = "Admin-Passw0rd";

/// The folder with the clients' files, which goes with the last server that they log in to, and what they say.
static KNOWN: Mutex<(Weak<Scratch>, Entries)> = Mutex::new((Weak::new(), Entries::new()));

/// A name and a secret for each registry.
type Entries = BTreeMap<String, String>;

/// The value of an `Authorization` header that shows a name and a secret.
pub fn basic(login: &str, secret: &str) -> String {
    format!("Basic {}", base64(format!("{login}:{secret}").as_bytes()))
}

/// A folder with a `config.json` by which every client that reads docker's configuration logs in to `registry` so.
pub fn config_folder(registry: &str, login: &str, secret: &str) -> Scratch {
    let folder = Scratch::new();
    write(folder.path(), &[(registry.to_owned(), entry(login, secret))].into());
    folder
}

/// Lets all programs of this test log in to `registry` as the administrator, as long as what this returns is kept.
#[must_use]
pub(crate) fn know(registry: &str) -> Arc<Scratch> {
    let (folder, known) = &mut *KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = folder.upgrade().unwrap_or_default();
    *folder = Arc::downgrade(&kept);
    known.insert(registry.to_owned(), entry(ADMIN, ADMIN_PASSWORD));
    write(kept.path(), known);
    kept
}

/// Shows a command where the files are. Where there is no server there are none, and nobody else's are looked at.
pub(crate) fn show(command: &mut Command) {
    let folder = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).0.upgrade();
    let folder =
        folder.map_or_else(|| env::temp_dir().join("bt-no-server"), |folder| folder.path().to_owned());
    let file = folder.join("config.json");
    command.env("DOCKER_CONFIG", &folder).env("REGISTRY_AUTH_FILE", &file).env("HELM_REGISTRY_CONFIG", &file);
}

fn entry(login: &str, secret: &str) -> String {
    base64(format!("{login}:{secret}").as_bytes())
}

fn write(folder: &Path, known: &Entries) {
    let auths: BTreeMap<_, _> = known.iter().map(|(at, auth)| (at, json!({ "auth": auth }))).collect();
    let text = json!({ "auths": auths }).to_string();
    std::fs::write(folder.join("config.json"), text).expect("a scratch file can be written");
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            let _ = write!(text, "{}", if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
