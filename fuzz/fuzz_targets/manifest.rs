//! Manifests: any bytes are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    let _ = berth_oci::Manifest::parse(content, None);
});
