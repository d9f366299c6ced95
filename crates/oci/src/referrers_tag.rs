//! The tag under which clients of registries without a referrers API keep a list of referrers (distribution-spec,
//! "Referrers Tag Schema").

use crate::{Algorithm, Digest, Tag};

/// The fallback tag of a subject: `<algorithm up to 32>-<hex up to 64>`.
#[must_use]
pub fn of(subject: &Digest) -> Tag {
    let hex = subject.hex();
    // Both parts are made of the tag's own characters and stay below its length.
    format!("{}-{}", subject.algorithm(), &hex[..64])
        .parse()
        .unwrap_or_else(|_| unreachable!("a fallback tag is a tag"))
}

/// What subject a tag may be the fallback of: a sha256 digest in full; of a sha512 digest the tag holds only half, so `None`.
#[must_use]
pub fn subject(tag: &Tag) -> Option<Digest> {
    let (algorithm, hex) = tag.as_str().split_once('-')?;
    (algorithm == Algorithm::Sha256.as_str()).then(|| format!("sha256:{hex}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_there_and_back() {
        let digest = Digest::sha256(b"x");
        assert_eq!(subject(&of(&digest)), Some(digest));
        assert_eq!(of(&Digest::of(Algorithm::Sha512, b"x")).as_str().len(), "sha512-".len() + 64);
        assert_eq!(subject(&"latest".parse().expect("tag")), None);
    }
}
