//! Numbered pages of sorted lists, and text that somebody looks for in them.

use berth_metadata::Window;

use crate::value::signed;

/// The list's columns, as statements know them.
pub(crate) const BY_ID: i64 = 1;
/// By name.
pub(crate) const BY_NAME: i64 = 2;
/// By when it was made.
pub(crate) const BY_CREATION: i64 = 3;
/// By how close a name is to what was looked for; lists that know it sort by it before the rest.
pub(crate) const BY_CLOSENESS: i64 = 4;

/// The end of a list's statement. `$sort` is one of the numbers above, negative for the other way round; the row's number decides
/// between equals. One text sorts in every way, because these lists are small enough to be sorted on the spot.
macro_rules! windowed {
    ($($parameter:literal),*) => {
        concat!(" ORDER BY", window!($($parameter),*))
    };
}

/// The same without its first words, for a list that is sorted by more.
macro_rules! window {
    ($sort:literal, $limit:literal, $offset:literal, $id:literal, $name:literal, $created:literal) => {
        concat!(
            " CASE CAST(",
            $sort,
            " AS BIGINT) WHEN 2 THEN ",
            $name,
            " END,
              CASE ",
            $sort,
            " WHEN -2 THEN ",
            $name,
            " END DESC,
              CASE ",
            $sort,
            " WHEN 3 THEN ",
            $created,
            " END,
              CASE ",
            $sort,
            " WHEN -3 THEN ",
            $created,
            " END DESC,
              CASE WHEN ",
            $sort,
            " < 0 THEN ",
            $id,
            " END DESC,
              ",
            $id,
            "
              LIMIT ",
            $limit,
            " OFFSET ",
            $offset
        )
    };
}

/// What a statement's parameters of that name are.
pub(crate) struct Cut {
    pub(crate) sort: i64,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Cut {
    /// The part of a list that the window shows, sorted by `column`.
    pub(crate) fn of<O>(window: &Window<O>, column: i64) -> Self {
        let sort = if window.descending { -column } else { column };
        Self { sort, limit: i64::from(window.limit), offset: signed(window.offset) }
    }
}

/// The longest text that anything kept could have within it.
const LONGEST: usize = 1024;

/// What finds nothing: no kept name has a control character.
const NOTHING: &str = "\u{1}";

/// Text to be found exactly. `PostgreSQL` takes no NUL at all, so text with one is looked for as something else that is not there.
pub(crate) fn exactly(text: &str) -> &str {
    if text.contains('\0') { NOTHING } else { text }
}

/// Whether the column is one of the texts that [`among`] made a list of; true if it made none.
macro_rules! one_of {
    ($list:literal, $column:literal) => {
        concat!(
            " AND (CAST(",
            $list,
            " AS TEXT) IS NULL OR replace(",
            $list,
            ", '\n' || ",
            $column,
            " || '\n', '') <> ",
            $list,
            ")"
        )
    };
}

/// A list for `one_of!`, each text on a line of its own; `None` if there is nothing to choose from. No kept name has a control
/// character, so a text with one is left out.
pub(crate) fn among(texts: &[String]) -> Option<String> {
    let kept = texts.iter().filter(|text| !text.contains(char::is_control) && text.len() <= LONGEST);
    let lines = kept.fold(String::from("\n"), |lines, text| lines + text + "\n");
    (!texts.is_empty()).then_some(lines)
}

/// A pattern for `LIKE … ESCAPE '!'` on a column in lower case: the text within it, in any case of ASCII letters.
pub(crate) fn within(text: &str) -> String {
    let text = if text.contains('\0') || text.len() > LONGEST { NOTHING } else { text };
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_was_typed() {
        assert_eq!(within("Ab_c%!"), "%ab!_c!%!!%");
        assert_eq!(within(""), "%%");
        assert_eq!(within("a\0"), "%\u{1}%");
        assert_eq!(exactly("a\0"), "\u{1}");
        assert_eq!(exactly("Ab%"), "Ab%");
    }

    #[test]
    fn lists_hold_what_can_be_there() {
        let among = |texts: &[&str]| among(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(among(&[]), None);
        assert_eq!(among(&["a", "b c"]).as_deref(), Some("\na\nb c\n"));
        assert_eq!(among(&["a\nb", "\0"]).as_deref(), Some("\n"));
    }
}
