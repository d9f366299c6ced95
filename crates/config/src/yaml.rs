//! YAML as a tree in which everything knows its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A node of the tree.
#[derive(Clone, Debug, Default)]
pub(crate) enum Node {
    /// Nothing at all, or `null`.
    #[default]
    Nothing,
    /// Text.
    Text(String),
    /// A number, as YAML's own notation of it.
    Number(String),
    /// `true` or `false`.
    Flag(bool),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// Names and what they stand for, in the file's order.
    Mapping(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl Node {
    /// What it is, with its article.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a group of settings",
        }
    }
}

/// Reads one document; the place and the parser's words if it is none.
pub(crate) fn parse(text: &str) -> Result<Node, (u64, u64, String)> {
    let parsed: Result<Option<Node>, _> = serde_saphyr::from_str(text);
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location();
        let said = error.to_string();
        // The parser ends its sentence with the place, which stands in front of it here.
        let said = said.split(" at line ").next().unwrap_or(&said);
        let said = match said.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(',').next())
        {
            Some(key) => format!("{key} stands here a second time; remove one of them"),
            None if said.starts_with("multiple YAML documents") => {
                "a second document begins here; remove the line that separates the two".to_owned()
            }
            None => format!("this is not YAML: {said}"),
        };
        (place.map_or(1, |at| at.line()), place.map_or(1, |at| at.column()), said)
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Node::Mapping(mapping))
    }
}
