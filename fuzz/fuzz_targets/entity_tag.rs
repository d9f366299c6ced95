//! Entity tags in conditions: what matches strongly matches weakly too.
#![no_main]

use berth_http::EntityTags;
use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &str)| {
    let (line, current) = input;
    let Ok(line) = HeaderValue::from_bytes(line) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(IF_MATCH, line);
    let tags = EntityTags::of(&headers, &IF_MATCH).expect("there is a header");
    assert!(!tags.match_strongly(current) || tags.match_weakly(current));
});
