//! Ranges of content: what `Range` asks for (RFC 9110 §14) and what an upload's `Content-Range` says.

/// A non-empty part of some content: bytes `start..end`, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// The byte after the last one; greater than `start`.
    pub end: u64,
}

impl ByteRange {
    /// Number of bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub const fn len(&self) -> u64 {
        self.end - self.start
    }
}

/// What a `Range` header asks of content whose length is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Everything: there is no usable header.
    Whole,
    /// These parts, in the order asked for, each within the content; never empty.
    Parts(Vec<ByteRange>),
    /// Nothing of what was asked for exists: 416.
    Unsatisfiable,
}

/// More parts than this in one request are answered with the whole content (RFC 9110 §14.2 allows it).
pub const MOST_PARTS: usize = 16;

/// Reads a `Range` header for content of `size` bytes.
///
/// Another unit and malformed sets are ignored, as RFC 9110 §14.2 says; a reversed range is unsatisfiable, as the
/// distribution-spec's clients expect. More than [`MOST_PARTS`] parts, or parts that overlap, select everything.
#[must_use]
pub fn select(header: &str, size: u64) -> Selection {
    // Units are compared without case (RFC 9110, 14.1).
    let set = header.trim().split_once('=').filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"));
    let Some((_, set)) = set else {
        return Selection::Whole;
    };
    let mut parts = Vec::new();
    for (count, spec) in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()).enumerate() {
        if count == MOST_PARTS {
            return Selection::Whole;
        }
        match part(spec, size) {
            Part::Malformed => return Selection::Whole,
            Part::Unsatisfiable => {}
            Part::Bytes(range) => parts.push(range),
        }
    }
    let overlaps = |(at, range): (usize, &ByteRange)| {
        parts[..at].iter().any(|earlier| range.start < earlier.end && earlier.start < range.end)
    };
    if set.split(',').all(|spec| spec.trim().is_empty()) || parts.iter().enumerate().any(overlaps) {
        Selection::Whole
    } else if parts.is_empty() {
        Selection::Unsatisfiable
    } else {
        Selection::Parts(parts)
    }
}

enum Part {
    Malformed,
    Unsatisfiable,
    Bytes(ByteRange),
}

fn part(spec: &str, size: u64) -> Part {
    let Some((first, last)) = spec.split_once('-') else {
        return Part::Malformed;
    };
    match (position(first), position(last)) {
        (Position::Absent, Position::At(0)) => Part::Unsatisfiable,
        (Position::Absent, Position::At(_)) if size == 0 => Part::Unsatisfiable,
        (Position::Absent, Position::At(suffix)) => {
            Part::Bytes(ByteRange { start: size.saturating_sub(suffix), end: size })
        }
        (Position::At(start), Position::Absent) if start < size => {
            Part::Bytes(ByteRange { start, end: size })
        }
        (Position::At(start), Position::At(last)) if start < size && start <= last => {
            Part::Bytes(ByteRange { start, end: size.min(last.saturating_add(1)) })
        }
        (Position::At(_), Position::At(_) | Position::Absent) => Part::Unsatisfiable,
        _ => Part::Malformed,
    }
}

enum Position {
    Absent,
    At(u64),
    Malformed,
}

/// A position; one too large for `u64` lies behind every content.
fn position(digits: &str) -> Position {
    if digits.is_empty() {
        Position::Absent
    } else if digits.bytes().all(|b| b.is_ascii_digit()) {
        Position::At(digits.parse().unwrap_or(u64::MAX))
    } else {
        Position::Malformed
    }
}

/// Reads the `Content-Range` of an upload's chunk: `first-last`, both inclusive, no unit (distribution-spec, end-5).
/// RFC 9110's form `bytes first-last/length` is understood too. `None` if it is neither or is reversed.
#[must_use]
pub fn chunk(header: &str) -> Option<ByteRange> {
    let header = header.trim();
    let bare = match header.strip_prefix("bytes ") {
        Some(rest) => rest.split_once('/').map_or(rest, |(range, _)| range),
        None => header,
    };
    let (first, last) = bare.split_once('-')?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return None;
    }
    let (start, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let end = last.checked_add(1)?;
    (start < end).then_some(ByteRange { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ranges: &[(u64, u64)]) -> Selection {
        Selection::Parts(ranges.iter().map(|&(start, end)| ByteRange { start, end }).collect())
    }

    #[test]
    fn reads_the_forms_of_rfc_9110() {
        for (header, expected) in [
            ("bytes=0-0", parts(&[(0, 1)])),
            ("bytes=0-", parts(&[(0, 100)])),
            ("bytes=99-", parts(&[(99, 100)])),
            ("bytes=-1", parts(&[(99, 100)])),
            ("bytes=-1000", parts(&[(0, 100)])),
            ("bytes=10-1000", parts(&[(10, 100)])),
            ("bytes=0-1, 5-6", parts(&[(0, 2), (5, 7)])),
            ("bytes=0-1,200-300", parts(&[(0, 2)])),
            ("bytes=0-99999999999999999999999", parts(&[(0, 100)])),
            ("bytes=100-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=5-4", Selection::Unsatisfiable),
            ("bytes=99999999999999999999999-", Selection::Unsatisfiable),
            ("bytes=", Selection::Whole),
            ("bytes=-", Selection::Whole),
            ("bytes=a-b", Selection::Whole),
            ("bytes=1", Selection::Whole),
            ("items=0-1", Selection::Whole),
            ("BYTES=0-1", parts(&[(0, 2)])),
            ("Bytes=0-1", parts(&[(0, 2)])),
            ("0-1", Selection::Whole),
            ("bytes=0-5,3-8", Selection::Whole),
        ] {
            assert_eq!(select(header, 100), expected, "{header}");
        }
        assert_eq!(select("bytes=0-", 0), Selection::Unsatisfiable);
        assert_eq!(select("bytes=-5", 0), Selection::Unsatisfiable);
        let many: Vec<String> = (0..40).map(|n| format!("{}-{}", 2 * n, 2 * n)).collect();
        assert_eq!(select(&format!("bytes={}", many.join(",")), 100), Selection::Whole);
    }

    #[test]
    fn reads_chunks() {
        assert_eq!(chunk("0-9"), Some(ByteRange { start: 0, end: 10 }));
        assert_eq!(chunk("bytes 5-5/10"), Some(ByteRange { start: 5, end: 6 }));
        for bad in ["", "-", "5", "5-", "-5", "9-5", "a-b", "bytes=0-1", "0-18446744073709551615", "+1-2"] {
            assert_eq!(chunk(bad), None, "{bad}");
        }
    }
}
