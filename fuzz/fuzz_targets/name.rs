//! Repository names: what is accepted prints as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<berth_oci::RepositoryName>() {
        assert_eq!(format!("{}/{}", name.project(), name.path()), text);
    }
});
