//! One request on its way through a handler.

use std::borrow::Cow;

use axum::http::request::Parts;
use axum::response::Response;
use berth_access::Caller;
use berth_http::rest::{Code, Fields, Keywords, Page, Refusal, form, order};
use berth_http::{Origin, Scheme};
use berth_management::{Guarded, ProjectRef, Window};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::answer;
use crate::door::Inner;
use crate::route::{Arguments, argument};

/// What a handler has of its request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The house as the caller may manage it.
    pub(crate) management: Guarded<'a>,
    pub(crate) caller: &'a Caller,
    pub(crate) door: &'a Inner,
    pub(crate) parts: &'a Parts,
    pub(crate) arguments: Arguments<'a>,
    pub(crate) body: Bytes,
}

impl Call<'_> {
    /// The query, empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// A parameter of the query; an empty one is none.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        let found = form::first(self.query(), name).filter(|value| !value.is_empty());
        if found.as_ref().is_some_and(|value| value.contains(char::is_control)) {
            return Err(unprocessable(format!("{name} in query must not contain control characters")));
        }
        Ok(found)
    }

    /// A parameter of the query that must be there.
    pub(crate) fn demanded(&self, name: &str) -> Result<Cow<'_, str>, Refusal> {
        self.parameter(name)?.ok_or_else(|| unprocessable(format!("{name} in query is required")))
    }

    /// A parameter of the query that is yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(text) = self.parameter(name)? else { return Ok(None) };
        match &*text.to_ascii_lowercase() {
            "true" | "1" | "t" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "f" | "no" | "off" => Ok(Some(false)),
            _ => Err(unprocessable(format!("{name} in query must be true or false"))),
        }
    }

    /// A header that is yes or no.
    pub(crate) fn header_flag(&self, name: &str) -> bool {
        let value = self.parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// By which scheme the client came.
    pub(crate) fn scheme(&self) -> Scheme {
        Origin::of(&self.parts.extensions).map_or(Scheme::Http, |origin| origin.scheme)
    }

    /// A part of the path.
    pub(crate) fn argument(&self, name: &str) -> Cow<'_, str> {
        argument(&self.arguments, name)
    }

    /// The project that the path names.
    pub(crate) fn project(&self) -> ProjectRef {
        ProjectRef::parse(&self.argument("project_name_or_id"), self.header_flag("x-is-resource-name"))
    }

    /// A part of the path that is a number.
    pub(crate) fn number(&self, name: &str) -> Result<i64, Refusal> {
        let number = self.argument(name).parse();
        number.map_err(|_| unprocessable(format!("{name} in path must be a whole number")))
    }

    /// Which page of a list is asked for.
    pub(crate) fn page(&self) -> Result<Page, Refusal> {
        Page::of(self.query())
    }

    /// What a list is filtered by.
    pub(crate) fn keywords(&self) -> Result<Keywords, Refusal> {
        Keywords::of(self.query())
    }

    /// The part of a list that is asked for, sorted by one of the `known` fields; in the list's own order if nothing is said.
    pub(crate) fn window<O: Copy + Default>(
        &self,
        page: Page,
        known: &[(&str, O)],
    ) -> Result<Window<O>, Refusal> {
        let sort = self.parameter("sort")?.unwrap_or_default();
        let (order, descending) = order(&sort, known)?.unwrap_or_default();
        Ok(Window { order, descending, offset: page.offset(), limit: page.size })
    }

    /// The JSON of the body, to be read with [`Fields::of`].
    pub(crate) fn json(&self) -> Result<Option<Value>, Refusal> {
        Fields::parse(&self.body)
    }

    /// One page of a list: a bare array, with what says where it belongs.
    pub(crate) fn listed<T: Serialize>(&self, page: Page, items: &[T], total: u64) -> Response {
        let mut answer = answer::json(&items);
        page.describe(answer.headers_mut(), &self.parts.uri, total);
        answer
    }
}

fn unprocessable(words: String) -> Refusal {
    Refusal::new(Code::Unprocessable, words)
}
