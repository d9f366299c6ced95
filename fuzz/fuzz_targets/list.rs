//! Queries of lists (`q`, `sort`, `page`): any query is read or refused, and the links to other pages can stand in a header.
#![no_main]

use berth_http::rest::{Keywords, LARGEST_PAGE, Page, form, order};
use http::{HeaderMap, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, u64)| {
    let (query, total) = input;
    if let Some(sort) = form::first(query, "sort") {
        let _ = order(&sort, &[("name", 1), ("creation_time", 2)]);
    }
    for keywords in [Keywords::of(query), Keywords::parse(query)] {
        let Ok(mut keywords) = keywords else { continue };
        let _ = keywords.take_exact_or_fuzzy("name");
        let _ = keywords.take("id").map(|wanted| wanted.number("id"));
        let _ = keywords.take("public").map(|wanted| wanted.flag("public"));
        let _ = keywords.take_exact("owner");
        let _ = keywords.nothing_else();
    }
    let Ok(page) = Page::of(query) else { return };
    assert!(page.number >= 1 && (1..=LARGEST_PAGE).contains(&page.size));
    if let Ok(uri) = format!("/api/v2.0/projects?{query}").parse::<Uri>() {
        page.describe(&mut HeaderMap::new(), &uri, total);
    }
});
