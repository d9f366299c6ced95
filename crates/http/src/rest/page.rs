//! `page` and `page_size`: numbered pages, with their neighbours in `Link` and the size of the whole in `X-Total-Count`.

use std::borrow::Cow;

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::form;
use super::refusal::{Code, Refusal};

/// How many entries all pages together have.
pub static TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// The largest page, as in Harbor.
pub const LARGEST_PAGE: u32 = 100;

const DEFAULT_SIZE: u32 = 10;

/// Which page of a list a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number, from 1 on.
    pub number: u64,
    /// How many entries it has at most.
    pub size: u32,
}

impl Page {
    /// Reads the query. As in Harbor, no number or one below 1 is the first page, and a page of more than 100 is refused; where
    /// Harbor would send the whole list (a size below 1), the largest page comes.
    pub fn of(query: &str) -> Result<Self, Refusal> {
        let number = number(query, "page")?.unwrap_or(1);
        let size = number_of_entries(number_or_default(query)?)?;
        Ok(Self { number: u64::try_from(number).unwrap_or(1).max(1), size })
    }

    /// How many entries come before it.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let before = (self.number - 1).saturating_mul(u64::from(self.size));
        // More does not fit into a database's numbers, and no list is as long.
        before.min(i64::MAX as u64)
    }

    /// Says in the answer how long the whole list is and where the neighbours of this page are.
    ///
    /// # Panics
    /// If the path holds what cannot stand in a header; paths of requests never do.
    pub fn describe(&self, headers: &mut HeaderMap, uri: &Uri, total: u64) {
        headers.insert(&TOTAL_COUNT, HeaderValue::from(total));
        let before =
            (self.number > 1 && self.offset() < total).then(|| self.link(uri, self.number - 1, "prev"));
        let next = self.offset().saturating_add(u64::from(self.size)) < total;
        let after = next.then(|| self.link(uri, self.number.saturating_add(1), "next"));
        let links: Vec<_> = before.into_iter().chain(after).collect();
        if !links.is_empty() {
            let value =
                HeaderValue::try_from(links.join(" , ")).expect("a path and escaped values are ASCII");
            headers.insert(LINK, value);
        }
    }

    /// `<path?query>; rel="…"` with the names of the query in order, as Go writes them.
    fn link(&self, uri: &Uri, number: u64, rel: &str) -> String {
        let (number, size) = (number.to_string(), self.size.to_string());
        let others = form::pairs(uri.query().unwrap_or_default());
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            others.filter(|(name, _)| name != "page" && name != "page_size").collect();
        pairs.push(("page".into(), number.as_str().into()));
        pairs.push(("page_size".into(), size.as_str().into()));
        pairs.sort_by(|one, other| one.0.cmp(&other.0));
        let mut link = format!("<{}", uri.path());
        for (at, (name, value)) in pairs.iter().enumerate() {
            link.push(if at == 0 { '?' } else { '&' });
            escape_into(&mut link, name);
            link.push('=');
            escape_into(&mut link, value);
        }
        link.push_str(">; rel=\"");
        link.push_str(rel);
        link.push('"');
        link
    }
}

fn number_or_default(query: &str) -> Result<i64, Refusal> {
    Ok(number(query, "page_size")?.unwrap_or(i64::from(DEFAULT_SIZE)))
}

fn number_of_entries(size: i64) -> Result<u32, Refusal> {
    match u32::try_from(size) {
        Ok(size) if size > LARGEST_PAGE => Err(too_large()),
        Ok(size) if size > 0 => Ok(size),
        Err(_) if size > 0 => Err(too_large()),
        _ => Ok(LARGEST_PAGE),
    }
}

fn too_large() -> Refusal {
    let words = format!("page_size in query should be less than or equal to {LARGEST_PAGE}");
    Refusal::new(Code::Unprocessable, words)
}

/// A number of the query, if it is there and not empty.
fn number(query: &str, name: &'static str) -> Result<Option<i64>, Refusal> {
    let Some(text) = form::first(query, name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text
        .parse()
        .map_err(|_| Refusal::new(Code::Unprocessable, format!("{name} in query must be a whole number")));
    number.map(Some)
}

/// Appends a name or a value of a query. Harbor does not escape at all here; what would end the link, the pair or the list of links
/// is escaped nevertheless, and what cannot stand in a header.
fn escape_into(link: &mut String, text: &str) {
    for byte in text.bytes() {
        let harmless = byte.is_ascii_alphanumeric() || b"-._~!$'()*:@/?=".contains(&byte);
        if harmless {
            link.push(char::from(byte));
        } else {
            crate::query::escape_byte_into(link, byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn described(uri: &str, total: u64) -> (Option<String>, String) {
        let uri: Uri = uri.parse().expect("a URI");
        let page = Page::of(uri.query().unwrap_or_default()).expect("a page");
        let mut headers = HeaderMap::new();
        page.describe(&mut headers, &uri, total);
        let text =
            |name: &HeaderName| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
        (text(&LINK), text(&TOTAL_COUNT).expect("always there"))
    }

    #[test]
    fn numbers_are_read_as_harbor_reads_them() {
        for (query, number, size) in [
            ("", 1, 10),
            ("page=3&page_size=100", 3, 100),
            ("page=0&page_size=0", 1, 100),
            ("page=-7&page_size=-1", 1, 100),
            ("page=&page_size=", 1, 10),
        ] {
            assert_eq!(Page::of(query), Ok(Page { number, size }), "{query}");
        }
        for query in ["page=x", "page=1.5", "page_size=101", "page_size=99999999999", "page_size=ten"] {
            assert_eq!(Page::of(query).expect_err(query).code, Code::Unprocessable);
        }
    }

    #[test]
    fn neighbours_are_linked() {
        let all = |uri| described(uri, 25);
        assert_eq!(all("/p").0.as_deref(), Some("</p?page=2&page_size=10>; rel=\"next\""));
        assert_eq!(
            all("/p?page=2&q=name%3D~a%2Cb").0.as_deref(),
            Some(
                "</p?page=1&page_size=10&q=name=~a%2Cb>; rel=\"prev\" , </p?page=3&page_size=10&q=name=~a%2Cb>; rel=\"next\""
            )
        );
        assert_eq!(all("/p?page=3").0.as_deref(), Some("</p?page=2&page_size=10>; rel=\"prev\""));
        assert_eq!(all("/p?page=4"), (None, "25".to_owned()));
        assert_eq!(described("/p", 0), (None, "0".to_owned()));
        assert_eq!(described("/p", 10), (None, "10".to_owned()));
    }

    #[test]
    fn far_pages_fit_into_a_database() {
        let page = Page::of(&format!("page={}&page_size=100", i64::MAX)).expect("a page");
        assert_eq!(page.offset(), i64::MAX as u64);
    }

    proptest! {
        #[test]
        fn a_page_has_a_number_and_a_size(
            number in "-?[0-9]{0,21}",
            size in "-?[0-9]{0,21}",
            odd in "[ -~]{0,40}",
            total: u64,
        ) {
            for query in [format!("page={number}&page_size={size}"), format!("page={number}&{odd}"), odd] {
                let Ok(page) = Page::of(&query) else { continue };
                prop_assert!(page.number >= 1 && (1..=LARGEST_PAGE).contains(&page.size));
                let Ok(uri) = format!("/p?{query}").parse::<Uri>() else { continue };
                let mut headers = HeaderMap::new();
                page.describe(&mut headers, &uri, total);
                prop_assert_eq!(headers[&TOTAL_COUNT].to_str().expect("a number"), total.to_string());
            }
        }

        #[test]
        fn no_query_breaks_the_header_and_all_of_it_comes_back(name in "[a-z]{1,5}", value in any::<String>()) {
            prop_assume!(name != "page");
            let mut query = format!("{name}=");
            crate::query::encode_into(&mut query, &value);
            let (link, _) = described(&format!("/p?{query}"), 1000);
            let link = link.expect("there is more");
            let inside = link.strip_prefix("</p?").and_then(|rest| rest.split_once('>')).expect("a link").0;
            let back = form::first(inside, &name);
            prop_assert_eq!(back.as_deref(), Some(value.as_str()));
        }
    }
}
