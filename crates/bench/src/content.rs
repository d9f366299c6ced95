//! Content to push: different for every seed, and so cheap to produce that the generator is never the limit.

use berth_oci::{Algorithm, Digest, Hasher};

/// One MiB: content is a whole number of blocks.
pub(crate) const BLOCK: usize = 1024 * 1024;
const BLOCK_U64: u64 = 1024 * 1024;

/// Docker copies through a buffer of this size, and each copy becomes a chunk.
const CHUNK: usize = 32 * 1024;
const CHUNK_HEAD: &[u8] = b"8000\r\n";

/// Some MiB of bytes that no compressor or deduplicator can shorten.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    seed: u64,
    blocks: u64,
    digest: Digest,
}

impl Content {
    /// `mebibytes` of content; its digest is computed here, before any clock runs.
    pub(crate) fn new(seed: u64, mebibytes: u64) -> Self {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut block = noise(seed, BLOCK);
        for number in 0..mebibytes {
            stamp(&mut block, seed, number);
            hasher.update(&block);
        }
        Self { seed, blocks: mebibytes, digest: hasher.digest() }
    }

    /// Several contents of one size, computed side by side.
    pub(crate) fn several(first_seed: u64, count: u64, mebibytes: u64) -> Vec<Self> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..count).map(|n| scope.spawn(move || Self::new(first_seed + n, mebibytes))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    }

    /// Its name.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.blocks * BLOCK_U64
    }

    /// The content as it is, block by block.
    pub(crate) fn blocks(&self) -> Blocks {
        self.lend(noise(self.seed, BLOCK), 0)
    }

    /// The content in the chunks of HTTP, of the size in which docker sends them, without the closing one.
    pub(crate) fn chunked(&self) -> Blocks {
        let mut framed = Vec::with_capacity(BLOCK + BLOCK / 1024);
        for piece in noise(self.seed, BLOCK).chunks(CHUNK) {
            framed.extend_from_slice(CHUNK_HEAD);
            framed.extend_from_slice(piece);
            framed.extend_from_slice(b"\r\n");
        }
        self.lend(framed, CHUNK_HEAD.len())
    }

    fn lend(&self, block: Vec<u8>, stamp_at: usize) -> Blocks {
        Blocks { block, stamp_at, seed: self.seed, next: 0, end: self.blocks }
    }
}

/// The blocks of a content, each lent from one buffer.
#[derive(Debug)]
pub(crate) struct Blocks {
    block: Vec<u8>,
    stamp_at: usize,
    seed: u64,
    next: u64,
    end: u64,
}

impl Blocks {
    /// The next block, if there is one.
    pub(crate) fn next_block(&mut self) -> Option<&[u8]> {
        if self.next == self.end {
            return None;
        }
        stamp(&mut self.block[self.stamp_at..], self.seed, self.next);
        self.next += 1;
        Some(&self.block)
    }
}

/// The first bytes of a block say which it is.
fn stamp(block: &mut [u8], seed: u64, number: u64) {
    block[..8].copy_from_slice(&seed.to_le_bytes());
    block[8..16].copy_from_slice(&number.to_le_bytes());
}

/// `length` bytes of noise that only the seed decides.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&dice.roll().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Repeatable randomness, the same load for every server (xorshift64*).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        // The state must not be zero, and neighbouring seeds must not look alike.
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_have_the_digest_and_every_seed_its_own() {
        let content = Content::new(7, 3);
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let (mut blocks, mut size) = (content.blocks(), 0);
        while let Some(block) = blocks.next_block() {
            hasher.update(block);
            size += block.len() as u64;
        }
        assert_eq!((&hasher.digest(), size), (content.digest(), content.size()));
        assert_ne!(content.digest(), Content::new(8, 3).digest());
    }

    #[test]
    fn the_chunks_hold_the_blocks() {
        let content = Content::new(9, 2);
        let (mut plain, mut chunked) = (content.blocks(), content.chunked());
        while let Some(framed) = chunked.next_block() {
            let frames = framed.chunks(CHUNK_HEAD.len() + CHUNK + 2);
            let unframed: Vec<u8> = frames.flat_map(|f| &f[CHUNK_HEAD.len()..f.len() - 2]).copied().collect();
            assert_eq!(plain.next_block().unwrap(), unframed);
        }
        assert!(plain.next_block().is_none());
    }

    #[test]
    fn several_contents_all_differ() {
        let digests: std::collections::BTreeSet<_> =
            Content::several(1, 4, 1).iter().map(|content| *content.digest()).collect();
        assert_eq!(digests.len(), 4);
    }
}
