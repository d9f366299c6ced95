//! Routes: any path is read or refused, and what is read names an endpoint.
#![no_main]

use berth_api_distribution::Route;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &str| {
    if let Ok(route) = Route::parse(path) {
        assert!(!route.name().is_empty() && !route.allow().is_empty());
    }
    let below = format!("/v2/{path}");
    let _ = Route::parse(&below);
});
