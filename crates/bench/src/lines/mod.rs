//! The lines of the table, one file each.
//!
//! To add one: a file with a type that implements [`Line`], and an entry in [`all`].

mod binary;
mod images;
mod manifests;
mod manifests_private;
mod memory;
mod pages;
mod pull;
mod push;
mod pushes;
mod ranges;
mod tokens;

use crate::lab::{Lab, Transport};
use crate::table::Row;

/// One thing to measure. It may give several rows of the table.
pub(crate) trait Line {
    /// What `--only` calls it.
    fn name(&self) -> &'static str;

    /// Measures every server that takes part. A server that fails is left out with a remark; an error means that nobody could be measured.
    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>>;
}

/// Every line, in the order of the table.
pub(crate) fn all() -> Vec<Box<dyn Line>> {
    vec![
        Box::new(pull::Pull(Transport::Plain)),
        Box::new(pull::Pull(Transport::Tls)),
        Box::new(ranges::Ranges),
        Box::new(manifests::Manifests { crowded: false }),
        Box::new(manifests::Manifests { crowded: true }),
        Box::new(manifests_private::ManifestsPrivate),
        Box::new(tokens::TokenService),
        Box::new(push::Push),
        Box::new(pushes::Pushes),
        Box::new(images::Images),
        Box::new(pages::Pages),
        Box::new(memory::Memory),
        Box::new(binary::Binary),
    ]
}

/// The lines of those names; all of them without names.
pub(crate) fn chosen(names: &[String]) -> anyhow::Result<Vec<Box<dyn Line>>> {
    let known: Vec<&str> = all().iter().map(|line| line.name()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no line {unknown}; the lines are {}", known.join(", "));
    }
    Ok(all()
        .into_iter()
        .filter(|line| names.is_empty() || names.iter().any(|name| name == line.name()))
        .collect())
}
