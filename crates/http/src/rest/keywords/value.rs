//! What one part of `q` asks of a field.

use ::time::PrimitiveDateTime;
use ::time::macros::format_description;
use berth_domain::Timestamp;

use super::bad;
use crate::rest::refusal::Refusal;

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is this.
    Exact(String),
    /// This is within it.
    Fuzzy(String),
    /// It lies between these; at least one is given.
    Range {
        /// Not below this.
        min: Option<Value>,
        /// Not above this.
        max: Option<Value>,
    },
    /// It is one of these.
    AnyOf(Vec<Value>),
    /// It has all of these.
    AllOf(Vec<Value>),
}

/// What is asked of a field that is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// It is this.
    Exact(String),
    /// This is within it.
    Fuzzy(String),
    /// It is one of these.
    AnyOf(Vec<String>),
}

/// One value of a range or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A moment.
    Time(Timestamp),
    /// A whole number.
    Number(i64),
    /// Anything else, without quotes around it.
    Text(String),
}

impl Match {
    pub(super) fn parse(name: &str, value: &str) -> Result<Self, Refusal> {
        let inside = |open, close| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let refused = |words| Err(bad(format!("the value of {} in q {words}", cut(name))));
        match value.as_bytes().first() {
            Some(b'~') if value.len() > 1 => Ok(Self::Fuzzy(value[1..].to_owned())),
            Some(b'~') => refused("must have something after the ~"),
            Some(b'[') => match inside('[', ']').and_then(range) {
                Some(range) => Ok(range),
                None => refused("must be a range, [min~max] with at least one of them"),
            },
            Some(b'{') => match inside('{', '}') {
                Some(inside) => Ok(Self::AnyOf(list(inside))),
                None => refused("must be a list, {a b c}"),
            },
            Some(b'(') => match inside('(', ')') {
                Some(inside) => Ok(Self::AllOf(list(inside))),
                None => refused("must be a list, (a b c)"),
            },
            _ => Ok(Self::Exact(value.strip_prefix('\\').unwrap_or(value).to_owned())),
        }
    }

    /// As a question to a field that is a text.
    pub fn text(self, field: &str) -> Result<TextMatch, Refusal> {
        match self {
            Self::Exact(text) => Ok(TextMatch::Exact(text)),
            Self::Fuzzy(text) => Ok(TextMatch::Fuzzy(text)),
            Self::AnyOf(values) => Ok(TextMatch::AnyOf(values.iter().map(Value::as_text).collect())),
            Self::Range { .. } | Self::AllOf(_) => {
                Err(bad(format!("{field} in q is a text: write {field}=x, {field}=~x or {field}={{x y}}")))
            }
        }
    }

    /// As a question to a field that is a number.
    pub fn number(self, field: &str) -> Result<i64, Refusal> {
        let number = match self {
            Self::Exact(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| bad(format!("{field} in q must be a whole number: write {field}=1")))
    }

    /// As a question to a field that is yes or no.
    pub fn flag(self, field: &str) -> Result<bool, Refusal> {
        match self {
            Self::Exact(text) => flag(&text),
            _ => None,
        }
        .ok_or_else(|| bad(format!("{field} in q must be true or false: write {field}=true")))
    }
}

impl Value {
    /// A time first, then a number, then a text, as Harbor tries them.
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        if let Ok(moment) = PrimitiveDateTime::parse(text, form) {
            let micros = moment.assume_utc().unix_timestamp_nanos() / 1000;
            return Self::Time(Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)));
        }
        match text.parse::<i64>() {
            // A name may consist of digits: what would be written otherwise stays as it is.
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.trim_matches(['"', '\'']).to_owned()),
        }
    }

    /// As it would be written.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Time(moment) => crate::rest::time(*moment),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

fn range(inside: &str) -> Option<Match> {
    let (min, max) = inside.split_once('~')?;
    if max.contains('~') {
        return None;
    }
    let end = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(Value::parse);
    let (min, max) = (end(min), end(max));
    (min.is_some() || max.is_some()).then_some(Match::Range { min, max })
}

fn list(inside: &str) -> Vec<Value> {
    inside.split(' ').filter(|text| !text.is_empty()).map(Value::parse).collect()
}

/// Reads yes or no in the forms that Go reads.
pub(in crate::rest) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// As much of a strange name as an answer can bear.
pub(super) fn cut(name: &str) -> String {
    name.chars().take(64).collect()
}
