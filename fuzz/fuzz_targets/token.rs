//! Bearer tokens: any text is refused, for nobody here has a key.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use berth_access::token::{KeySet, SigningKey, TokenSettings, Tokens, LONGEST_TOKEN};
use berth_domain::{SystemClock, SystemEntropy, Timestamp};
use libfuzzer_sys::fuzz_target;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let settings = TokenSettings {
        issuer: "berth".to_owned(),
        service: "harbor-registry".to_owned(),
        lifetime: Duration::from_mins(30),
        remembered: 100,
        longest: LONGEST_TOKEN,
    };
    let key = SigningKey::from_seed(&[7; 32], Timestamp::from_micros(0)).expect("32 bytes are a key");
    Tokens::new(settings, KeySet::new([key]), Arc::new(SystemClock), Arc::new(SystemEntropy))
});

fuzz_target!(|text: &str| {
    assert!(TOKENS.verify(text).is_err());
});
