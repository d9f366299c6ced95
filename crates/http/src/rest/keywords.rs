//! `q=`: the small language in which Harbor's lists are filtered.
//!
//! `name=x` exactly, `name=~x` within, `name=[1~9]` a range, `name={a b}` any of these, `name=(a b)` all of these; several are joined
//! by commas. What was escaped twice is read twice, as some clients send it. A backslash before a value takes its first character as
//! it is.

mod value;

pub use value::{Match, TextMatch, Value};

use super::form;
use super::refusal::{Code, Refusal};
use super::sort::same;

/// The longest text: every sane one is far shorter.
const LONGEST: usize = 4096;

/// What a request filters by. Each list takes the fields that it knows; what is left then is refused, because a filter that is
/// passed over shows more than was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords {
    pairs: Vec<(String, Match)>,
    known: Vec<&'static str>,
}

impl Keywords {
    /// Reads `q` of a query.
    pub fn of(query: &str) -> Result<Self, Refusal> {
        let Some(text) = form::first(query, "q") else { return Ok(Self::default()) };
        Self::parse(&text)
    }

    /// Reads the text itself, from which one layer of escapes was taken.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > LONGEST || text.contains(char::is_control) {
            return Err(bad(format!("q must be at most {LONGEST} bytes long, without control characters")));
        }
        let text = if text.contains('%') { form::unescape(text) } else { text.into() };
        if text.contains(char::is_control) {
            return Err(bad("q must not contain control characters".to_owned()));
        }
        let mut pairs = Vec::new();
        for pair in text.split(',').filter(|_| !text.is_empty()) {
            match pair.split_once('=') {
                Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                    pairs.push((name.to_owned(), Match::parse(name, value)?));
                }
                _ => return Err(bad("each part of q must be name=value, neither of them empty".to_owned())),
            }
        }
        Ok(Self { pairs, known: Vec::new() })
    }

    /// Takes out what is asked of a field, whatever its case and underscores; of several the last.
    pub fn take(&mut self, field: &'static str) -> Option<Match> {
        self.known.push(field);
        let (found, rest) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(name, _)| same(name, field));
        self.pairs = rest;
        let mut found: Vec<(String, Match)> = found;
        found.pop().map(|(_, wanted)| wanted)
    }

    /// The same for a field of text that is compared exactly or in part.
    pub fn take_text(&mut self, field: &'static str) -> Result<Option<TextMatch>, Refusal> {
        self.take(field).map(|wanted| wanted.text(field)).transpose()
    }

    /// The same as a filter keeps it: what it is exactly, any of these, and what is within it. Neither does not restrict.
    pub fn take_exact_or_fuzzy(
        &mut self,
        field: &'static str,
    ) -> Result<(Vec<String>, Option<String>), Refusal> {
        match self.take_text(field)? {
            None => Ok((Vec::new(), None)),
            Some(TextMatch::Exact(text)) => Ok((vec![text], None)),
            Some(TextMatch::Fuzzy(text)) => Ok((Vec::new(), Some(text))),
            Some(TextMatch::AnyOf(texts)) if texts.is_empty() => {
                Err(bad(format!("the list of {field} in q is empty: write {field}={{x y}}")))
            }
            Some(TextMatch::AnyOf(texts)) => Ok((texts, None)),
        }
    }

    /// The same for a field in which nothing can be looked for.
    pub fn take_exact(&mut self, field: &'static str) -> Result<Vec<String>, Refusal> {
        match self.take_exact_or_fuzzy(field)? {
            (exactly, None) => Ok(exactly),
            (_, Some(_)) => {
                Err(bad(format!("{field} in q is compared whole: write {field}=x or {field}={{x y}}")))
            }
        }
    }

    /// Refuses what nobody took.
    pub fn nothing_else(self) -> Result<(), Refusal> {
        let Some((name, _)) = self.pairs.first() else { return Ok(()) };
        let (name, known) = (value::cut(name), self.known.join(", "));
        Err(bad(format!("this list cannot be filtered by {name}: q takes {known}")))
    }
}

pub(super) fn bad(words: String) -> Refusal {
    Refusal::new(Code::BadRequest, words)
}

#[cfg(test)]
mod tests;
