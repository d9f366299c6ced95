//! Digests: what is accepted prints as it was and survives storage.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(digest) = text.parse::<berth_oci::Digest>() {
        assert_eq!(digest.to_string(), text);
        assert_eq!(berth_oci::Digest::from_bytes(&digest.to_bytes()), Some(digest));
    }
});
