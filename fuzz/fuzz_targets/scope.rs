//! Scopes of `/service/token`: what is read stays within its bounds, is asked for once, and reads the same again.
#![no_main]

use std::collections::BTreeSet;

use berth_access::scope::{Coverage, MOST_SCOPES, parse_scopes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parameters: Vec<&str>| {
    let Ok(scopes) = parse_scopes(parameters) else { return };
    assert!(scopes.len() <= MOST_SCOPES);
    let things: BTreeSet<_> = scopes.iter().map(|scope| (&scope.kind, &scope.name)).collect();
    assert_eq!(things.len(), scopes.len());
    let _ = Coverage::of(&scopes);
    let texts: Vec<String> = scopes
        .iter()
        .map(|scope| format!("{}:{}:{}", scope.kind, scope.name, scope.actions.join(",")))
        .collect();
    // Actions asked for apart may be too long in one scope.
    if let Ok(again) = parse_scopes(texts.iter().map(String::as_str)) {
        assert_eq!(again, scopes);
    }
});
