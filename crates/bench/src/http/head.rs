//! The head of an answer: as much of it as a load generator has to understand.

use anyhow::Context as _;

/// Status and the headers that say how to go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status code.
    pub(crate) status: u16,
    /// `Content-Length`.
    pub(crate) length: Option<u64>,
    /// Whether the body comes in chunks.
    pub(crate) chunked: bool,
    /// `Location`, as sent.
    pub(crate) location: Option<String>,
}

impl Head {
    /// Finds the end of a head in `bytes`: the offset of the first byte of the body.
    pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
        bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
    }

    /// Parses a complete head.
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?;
        let mut head = Self { status: status.parse()?, ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("location") {
                head.location = Some(value.to_owned());
            }
        }
        Ok(head)
    }

    /// The length of the body after a head of status 200, read without allocating.
    pub(crate) fn body_length(head: &[u8]) -> anyhow::Result<u64> {
        anyhow::ensure!(head.get(9..12) == Some(b"200"), "not 200: {}", String::from_utf8_lossy(head));
        for line in head.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            if line[..colon].eq_ignore_ascii_case(b"content-length") {
                return Ok(str::from_utf8(&line[colon + 1..])?.trim().parse()?);
            }
        }
        anyhow::bail!("the answer has no length")
    }

    /// Fails unless the status is `wanted`.
    pub(crate) fn expect(self, wanted: u16, what: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(self.status == wanted, "{what}: status {} instead of {wanted}", self.status);
        Ok(self)
    }

    /// The request target that `Location` names, whether it is relative or absolute.
    pub(crate) fn target(&self) -> anyhow::Result<&str> {
        let location = self.location.as_deref().context("no Location")?;
        let Some((_, rest)) = location.split_once("://") else { return Ok(location) };
        rest.find('/').map(|slash| &rest[slash..]).context("a Location without a path")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_length_and_location() {
        let raw = b"HTTP/1.1 202 Accepted\r\nLOCATION: http://h:1/v2/a?x=1\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(Head::end(raw), Some(raw.len()));
        let head = Head::parse(raw).unwrap();
        assert_eq!((head.status, head.length, head.target().unwrap()), (202, Some(0), "/v2/a?x=1"));
        assert!(head.expect(201, "POST").is_err());
    }

    #[test]
    fn the_quick_reading_agrees() {
        let raw = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-length:  17\r\n\r\n";
        assert_eq!(Head::body_length(raw).ok(), Head::parse(raw).unwrap().length);
        assert!(Head::body_length(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n").is_err());
    }

    #[test]
    fn a_relative_location_is_the_target() {
        let head = Head { location: Some("/v2/a/blobs/uploads/1".to_owned()), ..Head::default() };
        assert_eq!(head.target().unwrap(), "/v2/a/blobs/uploads/1");
    }
}
