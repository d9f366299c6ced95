//! Pulling large content, whole or in ranges.

use std::time::Instant;

use berth_oci::{Algorithm, Hasher};

use super::together::together;
use crate::content::{BLOCK, Content, Dice};
use crate::http::Endpoint;

/// Pulls `target` whole once with every client; the bytes that all of them read.
pub(crate) fn whole(endpoint: &Endpoint, target: &str, clients: u64) -> anyhow::Result<u64> {
    let read = together(clients, |_| {
        let mut connection = endpoint.connect()?;
        connection.begin("GET", target, "")?;
        let head = connection.head()?.expect(200, "GET")?;
        connection.skim(&head, |_| {})
    })?;
    Ok(read.iter().sum())
}

/// Pulls once and compares with what was pushed: warms the page cache, and catches a server that is fast because it is wrong.
pub(crate) fn verify(endpoint: &Endpoint, target: &str, content: &Content) -> anyhow::Result<()> {
    let mut connection = endpoint.connect()?;
    connection.begin("GET", target, "")?;
    let head = connection.head()?.expect(200, "GET")?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    connection.skim(&head, |piece| hasher.update(piece))?;
    anyhow::ensure!(hasher.digest() == *content.digest(), "the server returned other bytes than were pushed");
    Ok(())
}

/// Pulls ranges of 1 MiB at random offsets of a content of `size` bytes until `deadline`; how many were read.
pub(crate) fn ranges(
    endpoint: &Endpoint,
    target: &str,
    size: u64,
    clients: u64,
    deadline: Instant,
) -> anyhow::Result<u64> {
    let length = u64::try_from(BLOCK)?;
    let read = together(clients, |number| {
        let mut connection = endpoint.connect()?;
        let mut dice = Dice::new(number);
        let mut count = 0;
        while Instant::now() < deadline {
            let first = dice.roll() % (size - length);
            let last = first + length - 1;
            connection.begin("GET", target, &format!("Range: bytes={first}-{last}\r\n"))?;
            let head = connection.head()?.expect(206, "GET of a range")?;
            anyhow::ensure!(connection.skim(&head, |_| {})? == length, "a range of another length");
            count += 1;
        }
        Ok(count)
    })?;
    Ok(read.iter().sum())
}
