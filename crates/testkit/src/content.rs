//! Bytes to push: random ones, and tar archives.

use crate::Random;

/// `len` bytes that no compression makes smaller; the same for the same seed.
pub fn random_bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Random::new(seed).fill(&mut bytes);
    bytes
}

/// A tar archive with these files, in this order, with nothing in it that depends on the machine.
pub fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        archive.extend(header(name, content.len() as u64));
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// The content of a file in a tar archive of plain headers.
pub fn file_in_tar(archive: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let mut at = 0;
    while archive.len() >= at + BLOCK && archive[at] != 0 {
        let header = &archive[at..at + BLOCK];
        let text = |range: std::ops::Range<usize>| {
            let field: Vec<_> = header[range].iter().copied().take_while(|byte| *byte != 0).collect();
            String::from_utf8_lossy(&field).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).ok()?;
        let name = text(0..100);
        at += BLOCK;
        if name.trim_start_matches("./") == wanted {
            return archive.get(at..at + size).map(<[u8]>::to_vec);
        }
        at += size.next_multiple_of(BLOCK);
    }
    None
}

pub(crate) const BLOCK: usize = 512;

/// The header of one file (ustar), owned by root.
pub(crate) fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = vec![0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Program, Scratch};

    #[test]
    fn the_archive_is_one_that_tar_reads() {
        let scratch = Scratch::new();
        let content = random_bytes(1, 1000);
        let archive = scratch.write("a.tar", tar_of(&[("one", b"1"), ("two/three", &content)]));
        let listed = Program::new("tar").arg("-tf").arg(&archive).run();
        assert_eq!(listed.text(), "one\ntwo/three");
        let read = Program::new("tar").arg("-xOf").arg(&archive).arg("two/three").run();
        assert_eq!(read.stdout, content);
        assert_eq!(file_in_tar(&std::fs::read(&archive).unwrap(), "two/three"), Some(content));
    }
}
