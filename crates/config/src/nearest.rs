//! The nearest right name to a wrong one.

/// The name that was probably meant, if one is near enough to be meant.
pub(crate) fn name<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let rated = names.into_iter().map(|name| {
        let folded = name.to_lowercase();
        let same_start = wrong.len() >= 4 && (folded.starts_with(&wrong) || wrong.starts_with(&folded));
        let nearness = strsim::normalized_damerau_levenshtein(&wrong, &folded);
        (if same_start { nearness.max(0.9) } else { nearness }, name)
    });
    rated.filter(|(nearness, _)| *nearness >= 0.55).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
