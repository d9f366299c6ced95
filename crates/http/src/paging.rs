//! Pages that are continued by key: the `Link` to the next one (RFC 8288).

use axum::http::HeaderValue;

use crate::query::encode_into;

/// `<path?name=value&…>; rel="next"`, relative to the server, values escaped.
///
/// # Panics
/// If `path` holds what cannot stand in a header; paths of requests never do.
#[must_use]
pub fn next_link(path: &str, values: &[(&str, &str)]) -> HeaderValue {
    let mut link = format!("<{path}");
    for (at, (name, value)) in values.iter().enumerate() {
        link.push(if at == 0 { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        encode_into(&mut link, value);
    }
    link.push_str(">; rel=\"next\"");
    HeaderValue::try_from(link).expect("a path and escaped values can stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_values() {
        let link = next_link("/v2/_catalog", &[("n", "2"), ("last", "a/b&c")]);
        assert_eq!(link, "</v2/_catalog?n=2&last=a%2Fb%26c>; rel=\"next\"");
    }
}
