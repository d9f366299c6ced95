//! What a body says of a project that is made or changed.

use berth_http::rest::{Code, Fields, Refusal};

/// Settings that only a proxy of another registry has; Harbor passes them over for others.
const PROXY: [&str; 4] =
    ["proxy_speed_kb", "max_upstream_conn", "proxy_cache_filter_pattern", "proxy_cache_filter_kind"];

/// The settings in `metadata`, and `public` where old clients send it.
pub(super) fn settings(fields: &Fields<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let mut settings = Vec::new();
    if let Some(metadata) = fields.object("metadata")? {
        for (key, value) in metadata.texts()? {
            // What is empty is what the client did not set.
            if !value.is_empty() && !PROXY.contains(&key) {
                settings.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    if let Some(public) = fields.flag("public")?
        && settings.iter().all(|(key, _)| key != "public")
    {
        settings.push(("public".to_owned(), public.to_string()));
    }
    Ok(settings)
}

/// Refuses what Berth cannot do yet, instead of passing it over: a project that proxies, and one that tolerates vulnerabilities.
pub(super) fn refuse_what_is_not_there(fields: &Fields<'_>) -> Result<(), Refusal> {
    if fields.number("registry_id")?.is_some_and(|id| id != 0) {
        return Err(unsupported(
            "registry_id: there is no registry to proxy, and no proxy-cache projects yet",
        ));
    }
    if let Some(list) = fields.object("cve_allowlist")?
        && !list.objects("items")?.is_empty()
    {
        return Err(unsupported("cve_allowlist: lists of tolerated vulnerabilities are not kept yet"));
    }
    Ok(())
}

fn unsupported(words: &'static str) -> Refusal {
    Refusal::new(Code::Unsupported, words)
}
