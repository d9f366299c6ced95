//! Many values as one parameter: JSON text, which both databases can turn into rows.
//!
//! One statement a batch instead of one a value: a call to SQLite crosses to its thread and back, one to PostgreSQL the network.
//!
//! PostgreSQL takes every batch for a hundred rows. What is joined with one it may therefore read as a whole: all that a repository
//! has, or all that there is. So rows are looked up for each value by itself (`CROSS JOIN LATERAL`) or by an array of them
//! (`= ANY (ARRAY(SELECT …))`).

use std::fmt::Write as _;

use berth_oci::Digest;

/// A JSON array of hex strings.
pub(crate) fn digests(digests: &[Digest]) -> String {
    array(digests, |out, digest| hex(out, &digest.to_bytes()))
}

/// A JSON array of numbers.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = i64>) -> String {
    array(numbers, write_number)
}

/// A JSON array of rows.
pub(crate) fn rows<'a>(rows: impl IntoIterator<Item = Vec<Cell<'a>>>) -> String {
    array(rows, |out, row| {
        let cells = array(row, |out, cell| match cell {
            Cell::Bytes(bytes) => hex(out, bytes),
            Cell::Number(number) => write_number(out, number),
        });
        out.push_str(&cells);
    })
}

/// One value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// Bytes; a hex string in the JSON text.
    Bytes(&'a [u8]),
    /// A number.
    Number(i64),
}

fn array<T>(items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) -> String {
    let mut out = String::from("[");
    for item in items {
        if out.len() > 1 {
            out.push(',');
        }
        write(&mut out, item);
    }
    out.push(']');
    out
}

fn hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out.push('"');
}

fn write_number(out: &mut String, number: i64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_json() {
        assert_eq!(numbers([]), "[]");
        assert_eq!(numbers([1, -2]), "[1,-2]");
        assert_eq!(
            rows([vec![Cell::Bytes(&[0, 171]), Cell::Number(7)], vec![Cell::Bytes(&[])]]),
            r#"[["00ab",7],[""]]"#
        );
    }
}
