//! The language, form by form.

use berth_domain::Timestamp;
use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Match {
    let mut keywords = Keywords::parse(text).expect(text);
    let wanted = keywords.take("k").expect("asked of k");
    keywords.nothing_else().expect("of nothing else");
    wanted
}

#[test]
fn every_form_is_read() {
    let text = |text: &str| Value::Text(text.to_owned());
    for (written, meant) in [
        ("k=v", Match::Exact("v".to_owned())),
        ("k=a=b", Match::Exact("a=b".to_owned())),
        ("k=\\~v", Match::Exact("~v".to_owned())),
        ("k=~v", Match::Fuzzy("v".to_owned())),
        ("k=[1~9]", Match::Range { min: Some(Value::Number(1)), max: Some(Value::Number(9)) }),
        ("k=[~9]", Match::Range { min: None, max: Some(Value::Number(9)) }),
        ("k=[ a ~]", Match::Range { min: Some(text("a")), max: None }),
        (
            "k=[2022-04-23T08:04:08~]",
            Match::Range { min: Some(Value::Time(Timestamp::from_micros(1_650_701_048_000_000))), max: None },
        ),
        ("k={a 7 \"b\"}", Match::AnyOf(vec![text("a"), Value::Number(7), text("b")])),
        ("k={}", Match::AnyOf(vec![])),
        ("k=(1 2)", Match::AllOf(vec![Value::Number(1), Value::Number(2)])),
    ] {
        assert_eq!(one(written), meant, "{written}");
    }
}

#[test]
fn nothing_and_several_are_read() {
    assert_eq!(Keywords::of("page=1"), Ok(Keywords::default()));
    assert_eq!(Keywords::of("q="), Ok(Keywords::default()));
    let mut robots = Keywords::of("q=Level%3Dproject%2CProjectID%3D1").expect("as the portal writes it");
    assert_eq!(robots.take("project_id").expect("there").number("project_id"), Ok(1));
    assert_eq!(robots.take_text("level"), Ok(Some(TextMatch::Exact("project".to_owned()))));
    robots.nothing_else().expect("nothing else");
}

#[test]
fn a_text_is_asked_for_whole_in_part_or_as_one_of_several() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let ask = |text: &str| Keywords::parse(text).expect(text).take_exact_or_fuzzy("k");
    assert_eq!(ask("j=v"), Ok((vec![], None)));
    assert_eq!(ask("k=v"), Ok((texts(&["v"]), None)));
    assert_eq!(ask("k=~v"), Ok((vec![], Some("v".to_owned()))));
    assert_eq!(ask("k={a 007 7}"), Ok((texts(&["a", "007", "7"]), None)), "as it was written");
    for text in ["k={}", "k=(a b)", "k=[a~b]"] {
        assert_eq!(ask(text).expect_err(text).code, Code::BadRequest);
    }
    let whole = |text: &str| Keywords::parse(text).expect(text).take_exact("k");
    assert_eq!(whole("k={a b}"), Ok(texts(&["a", "b"])));
    let refused = whole("k=~v").expect_err("it would show more than was asked for");
    assert_eq!(refused.message, "k in q is compared whole: write k=x or k={x y}");
}

#[test]
fn what_is_escaped_twice_is_read_twice() {
    let mut twice = Keywords::of("q=name%253D%257Ba%2Bb%257D").expect("escaped twice");
    let both = TextMatch::AnyOf(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(twice.take_text("name"), Ok(Some(both.clone())));
    let mut once = Keywords::of("q=name%3D%7Ba+b%7D").expect("escaped once");
    assert_eq!(once.take_text("name"), Ok(Some(both)));
    let mut plus = Keywords::of("q=name%3Da%2Bb").expect("escaped once");
    assert_eq!(plus.take_text("name"), Ok(Some(TextMatch::Exact("a+b".to_owned()))));
}

#[test]
fn what_makes_no_sense_is_refused_with_words() {
    for text in [
        "k",
        "k=",
        "=v",
        ",",
        "k=v,",
        "k=~",
        "k=[",
        "k=[1]",
        "k=[~]",
        "k=[1~2~3]",
        "k=[1~2",
        "k={a",
        "k=(a",
        "k=a\0",
        "k=%00",
    ] {
        let refusal = Keywords::parse(text).expect_err(text);
        assert_eq!(refusal.code, Code::BadRequest, "{text:?}");
    }
    assert!(Keywords::parse(&format!("k={}", "v".repeat(5000))).is_err());
    assert!(one("k=[1~2]").text("k").is_err() && one("k=(a)").text("k").is_err());
    assert!(one("k=x").number("k").is_err() && one("k=~1").number("k").is_err());
    assert!(one("k=yes").flag("k").is_err() && one("k=true").flag("k") == Ok(true));
}

#[test]
fn a_field_that_no_list_knows_is_refused_with_those_that_it_knows() {
    let mut keywords = Keywords::parse("name=a,size=1").expect("well-formed");
    keywords.take("name");
    keywords.take("public");
    let refusal = keywords.nothing_else().expect_err("size is left");
    assert_eq!(refusal.message, "this list cannot be filtered by size: q takes name, public");
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "\\PC{0,60}",
        odd in "[k=~\\[\\]{}() ,%\\\\0-9a]{0,40}",
        near in "((name|id|public|owner)=[=~\\[\\]{}() %\\\\0-9a]{0,8},?){0,4}",
    ) {
        for text in [text, odd, near] {
            let Ok(mut keywords) = Keywords::parse(&text) else { continue };
            let _ = keywords.take_exact_or_fuzzy("name");
            let _ = keywords.take("id").map(|wanted| wanted.number("id"));
            let _ = keywords.take("public").map(|wanted| wanted.flag("public"));
            let _ = keywords.take_exact("owner");
            let _ = keywords.nothing_else();
        }
    }

    #[test]
    fn a_name_is_found_as_it_was_asked_for(name in "[a-z0-9._-]{1,30}") {
        prop_assert_eq!(one(&format!("k=~{name}")), Match::Fuzzy(name.clone()));
        prop_assert_eq!(one(&format!("k={name}")), Match::Exact(name));
    }
}
