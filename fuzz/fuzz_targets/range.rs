//! Ranges: every selected part lies within the content.
#![no_main]

use libfuzzer_sys::fuzz_target;

use berth_oci::range::{self, Selection};

fuzz_target!(|input: (&str, u64)| {
    let (header, size) = input;
    if let Selection::Parts(parts) = range::select(header, size) {
        assert!(parts.iter().all(|part| part.start < part.end && part.end <= size));
    }
    let _ = range::chunk(header);
});
