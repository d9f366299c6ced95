//! Pushing a blob the way docker does: POST, one PATCH in chunks of unknown number, PUT.

use std::time::{Duration, Instant};

use berth_oci::Digest;

use crate::content::Content;
use crate::http::{Connection, Endpoint};

/// Pushes `content`; how long the server took from the last byte of it to its 201.
pub(crate) fn push(endpoint: &Endpoint, repository: &str, content: &Content) -> anyhow::Result<Duration> {
    let mut connection = endpoint.log_in()?;
    let session = open(&mut connection, repository)?;
    connection.begin(
        "PATCH",
        &session,
        "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n",
    )?;
    let mut chunks = content.chunked();
    while let Some(block) = chunks.next_block() {
        connection.send(block)?;
    }
    connection.send(b"0\r\n\r\n")?;
    let last_byte = Instant::now();
    let head = connection.head()?.expect(202, "PATCH")?;
    connection.body(&head)?;
    close(&mut connection, head.target()?, content.digest(), &[])?;
    Ok(last_byte.elapsed())
}

/// Opens an upload session; the target to write to.
pub(crate) fn open(connection: &mut Connection, repository: &str) -> anyhow::Result<String> {
    let (head, _) = connection.exchange("POST", &format!("/v2/{repository}/blobs/uploads/"), "", &[])?;
    Ok(head.expect(202, "POST")?.target()?.to_owned())
}

/// Closes an upload session with the rest of its content.
pub(crate) fn close(
    connection: &mut Connection,
    session: &str,
    digest: &Digest,
    rest: &[u8],
) -> anyhow::Result<()> {
    let joint = if session.contains('?') { '&' } else { '?' };
    let target = format!("{session}{joint}digest={digest}");
    let (head, _) =
        connection.exchange("PUT", &target, "Content-Type: application/octet-stream\r\n", rest)?;
    head.expect(201, "PUT")?;
    Ok(())
}
