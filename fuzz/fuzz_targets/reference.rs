//! References: what is accepted prints as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<berth_oci::Reference>() {
        assert_eq!(reference.to_string(), text);
    }
});
