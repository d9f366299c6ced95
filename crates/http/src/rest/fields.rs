//! The body of a request: a JSON object that is read field by field.
//!
//! As lenient as Harbor: unknown fields are passed over, `null` is no value, and the case of names does not matter. As strict as
//! Harbor: a value of another type is refused, with the place where it stands. Beyond it: no text may hold a NUL, which databases
//! cannot keep.

use serde_json::{Map, Value};

use super::refusal::{Code, Refusal};

/// An object of the body, and how it is called in it.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// Reads the bytes of a body. Nothing, and `null`, is no body.
    pub fn parse(body: &[u8]) -> Result<Option<Value>, Refusal> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let read = serde_json::from_slice(body);
        let value: Value = read.map_err(|error| unreadable(format!("the body is not JSON: {error}")))?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    /// The body as an object.
    pub fn of(body: Option<&'a Value>) -> Result<Self, Refusal> {
        match body {
            Some(Value::Object(map)) => Ok(Self { path: String::new(), map }),
            Some(_) => Err(unreadable("the body must be a JSON object".to_owned())),
            None => Err(unreadable("the body is missing: it must be a JSON object".to_owned())),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.read(name, "a text", Value::as_str)?.map(|text| self.without_nul(name, text)).transpose()
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read(name, "a whole number", Value::as_i64)
    }

    /// Yes or no.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// An object within.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Refusal> {
        let map = self.read(name, "an object", Value::as_object)?;
        Ok(map.map(|map| Fields { path: self.place(name), map }))
    }

    /// A list of objects; empty if there is none.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Refusal> {
        let Some(list) = self.read(name, "a list", Value::as_array)? else { return Ok(Vec::new()) };
        let entries = list.iter().enumerate().filter(|(_, entry)| !entry.is_null());
        let objects = entries.map(|(at, entry)| {
            let path = format!("{}[{at}]", self.place(name));
            let map =
                entry.as_object().ok_or_else(|| unreadable(format!("{path} in body must be an object")))?;
            Ok(Fields { path, map })
        });
        objects.collect()
    }

    /// All fields, each a text, in their order; those that are `null` are left out.
    pub fn texts(&self) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
        let present = self.map.iter().filter(|(_, value)| !value.is_null());
        let texts = present.map(|(name, value)| {
            let text = value.as_str().ok_or_else(|| self.wrong(name, "a text"))?;
            Ok((self.without_nul(name, name)?, self.without_nul(name, text)?))
        });
        texts.collect()
    }

    fn read<T>(
        &self,
        name: &str,
        kind: &str,
        as_kind: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let exact = self.map.get(name);
        let found = exact.or_else(|| {
            let mut others = self.map.iter();
            others.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        match found.filter(|value| !value.is_null()) {
            Some(value) => as_kind(value).map(Some).ok_or_else(|| self.wrong(name, kind)),
            None => Ok(None),
        }
    }

    fn without_nul<'t>(&self, name: &str, text: &'t str) -> Result<&'t str, Refusal> {
        if text.contains('\0') { Err(self.wrong(name, "a text without NUL characters")) } else { Ok(text) }
    }

    fn wrong(&self, name: &str, kind: &str) -> Refusal {
        let place: String = self.place(name).chars().filter(|c| !c.is_control()).take(200).collect();
        unreadable(format!("{place} in body must be {kind}"))
    }

    fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

fn unreadable(words: String) -> Refusal {
    Refusal::new(Code::Unprocessable, words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words<T: std::fmt::Debug>(read: Result<T, Refusal>) -> String {
        let refusal = read.expect_err("refused");
        assert_eq!(refusal.code, Code::Unprocessable);
        refusal.message.into_owned()
    }

    #[test]
    fn fields_are_read_by_type() {
        let body = br#"{"Name":"x","n":-1,"flag":true,"none":null,"in":{"list":[{"a":"1"},null,{"a":"2"}]},"odd":[1]}"#;
        let body = Fields::parse(body).expect("JSON");
        let fields = Fields::of(body.as_ref()).expect("an object");
        assert_eq!(fields.text("name"), Ok(Some("x")));
        assert_eq!(fields.number("n"), Ok(Some(-1)));
        assert_eq!(fields.flag("flag"), Ok(Some(true)));
        assert_eq!(fields.text("none"), Ok(None));
        assert_eq!(fields.text("missing"), Ok(None));
        let inside = fields.object("in").expect("an object").expect("there");
        let list = inside.objects("list").expect("a list");
        let texts: Vec<_> = list.iter().map(|entry| entry.text("a").expect("a text")).collect();
        assert_eq!(texts, [Some("1"), Some("2")]);
        assert!(fields.objects("missing").expect("none").is_empty());
    }

    #[test]
    fn what_has_another_type_is_named_with_its_place() {
        let body = br#"{"n":1.5,"t":7,"m":{"a":true},"l":[{"s":[]},3],"z":"a\u0000b"}"#;
        let body = Fields::parse(body).expect("JSON");
        let fields = Fields::of(body.as_ref()).expect("an object");
        assert_eq!(words(fields.number("n")), "n in body must be a whole number");
        assert_eq!(words(fields.text("t")), "t in body must be a text");
        assert_eq!(words(fields.objects("l")), "l[1] in body must be an object");
        let inside = fields.object("m").expect("an object").expect("there");
        assert_eq!(words(inside.texts()), "m.a in body must be a text");
        assert_eq!(words(fields.text("z")), "z in body must be a text without NUL characters");
    }

    #[test]
    fn no_body_and_no_object_are_refused() {
        for body in ["", "  \n", "null\n"] {
            let body = Fields::parse(body.as_bytes()).expect("no body");
            assert!(body.is_none() && Fields::of(None).is_err());
        }
        assert!(Fields::of(Some(&Value::from(vec![1]))).is_err());
        for body in ["{", "{\"a\":}", "x", "{} {}", &"[".repeat(100_000)] {
            assert_eq!(Fields::parse(body.as_bytes()).expect_err(body).code, Code::Unprocessable);
        }
    }

    proptest! {
        #[test]
        fn no_text_that_is_read_holds_a_nul(name in "[a-z\\x00]{0,3}", text in "[a-z\\x00]{0,5}") {
            let inside = Map::from_iter([(name.clone(), Value::from(text.clone()))]);
            let body = serde_json::json!({ "name": text, "metadata": inside }).to_string();
            let body = Fields::parse(body.as_bytes()).expect("JSON");
            let fields = Fields::of(body.as_ref()).expect("an object");
            prop_assert_eq!(fields.text("name").is_ok(), !text.contains('\0'));
            let inside = fields.object("metadata").expect("an object").expect("there");
            prop_assert_eq!(inside.texts().is_ok(), !text.contains('\0') && !name.contains('\0'));
        }

        #[test]
        fn no_body_panics(body in "\\PC{0,60}", odd in "[{}\\[\\]\",:0-9a-z\\\\]{0,40}") {
            for body in [body, odd] {
                if let Ok(Some(value)) = Fields::parse(body.as_bytes())
                    && let Ok(fields) = Fields::of(Some(&value))
                {
                    let _ = (fields.texts(), fields.text("a"), fields.objects("a"));
                }
            }
        }
    }
}
