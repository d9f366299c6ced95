//! Characters that nobody sees: in a name they would make one account look like another.

/// Those that some scripts cannot do without, the zero-width non-joiner and joiner: they may stand in a name by which no account is
/// known.
pub(crate) const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Whether a character leaves nothing on the page, or turns around what stands beside it: control characters, and Unicode's
/// zero-width, joining and direction marks.
pub(crate) fn is_unseen(c: char) -> bool {
    let formats = matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    c.is_control() || formats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_nothing_on_the_page_is_unseen() {
        let marks =
            ["\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}", "\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}"];
        for unseen in marks.concat().chars().chain(['\0', '\n', '\u{7f}', '\u{9f}']) {
            assert!(is_unseen(unseen), "{unseen:?}");
        }
        for seen in "a Zoë 王芳 José\u{301} 👩 \u{a0}".chars() {
            assert!(!is_unseen(seen), "{seen:?}");
        }
    }
}
