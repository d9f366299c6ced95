//! Reading the project's own Rust: which files there are, and which of their lines are production code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Every file of the rooms and the stories with one of these extensions, sorted.
pub(super) fn files(root: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "fuzz"].map(|name| root.join(name)) {
        if folder.is_dir() {
            walk(&folder, extensions, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                walk(&path, extensions, found)?;
            }
        } else if path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted)) {
            found.push(path);
        }
    }
    Ok(())
}

/// The text with everything that is not code (comments, strings, characters) turned into spaces; lines stay lines.
pub(super) fn code_only(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let other = not_code(rest);
        let length = if other > 0 { other } else { word_or_char(rest, first) };
        let (piece, tail) = rest.split_at(length);
        if other > 0 {
            code.extend(piece.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        } else {
            code.push_str(piece);
        }
        rest = tail;
    }
    code
}

/// The length of a whole identifier, so that the `r` of `for"` never opens a raw string, or of one character.
fn word_or_char(rest: &str, first: char) -> usize {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    if is_word(first) {
        return rest.find(|char| !is_word(char)).unwrap_or(rest.len());
    }
    first.len_utf8()
}

/// How many bytes at the start of `rest` are a comment, a string or a character; 0 if it is code.
fn not_code(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let body = rest.strip_prefix('b').or_else(|| rest.strip_prefix('c')).unwrap_or(rest);
    let prefix = rest.len() - body.len();
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let inside = &raw[hashes + 1..];
            return inside.find(&close).map_or(rest.len(), |at| prefix + 2 + hashes + at + close.len());
        }
        return 0;
    }
    match body.chars().next() {
        Some('"') => prefix + quoted(body, '"'),
        Some('\'') if is_character(body) => prefix + quoted(body, '\''),
        _ => 0,
    }
}

/// Whether a quote opens a character and not a lifetime.
fn is_character(body: &str) -> bool {
    let mut chars = body.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// The length of a quoted piece with its escapes.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in body.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return at + char.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Production lines and lines of inline tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) production: usize,
    pub(super) tests: usize,
}

/// Counts the lines of a file, with `#[cfg(test)] mod … { … }` apart.
pub(super) fn count(text: &str) -> Lines {
    let code = code_only(text);
    let total = text.lines().count();
    let tests = inline_tests(&code);
    Lines { production: total - tests, tests }
}

fn inline_tests(code: &str) -> usize {
    let mut lines = 0;
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let after = &code[start + "#[cfg(test)]".len()..];
        let end = match after.find(['{', ';']) {
            Some(open) if after[open..].starts_with('{') && after[..open].contains("mod ") => {
                start + "#[cfg(test)]".len() + open + braces(&after[open..])
            }
            _ => {
                from = start + 1;
                continue;
            }
        };
        lines += code[start..end].matches('\n').count() + 1;
        from = end;
    }
    lines
}

/// The length of a block from its opening to its closing brace.
fn braces(block: &str) -> usize {
    let mut depth = 0_usize;
    for (at, char) in block.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    block.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_comments_and_characters_are_not_code() {
        let text =
            "a(\"} unsafe\", '}', '\\'', b\"{\", r#\"{ \"x\" {\"#); // {\n/* { /* { */ */ fn b<'a>() {}";
        let code = code_only(text);
        assert_eq!(code.matches('{').count(), 1);
        assert_eq!(code.matches('}').count(), 1);
        assert!(!code.contains("unsafe"));
        assert!(code.contains("fn b<'a>()"));
        assert_eq!(code.len(), text.len());
    }

    #[test]
    fn inline_tests_are_counted_apart() {
        let text = "//! A.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\n";
        assert_eq!(count(text), Lines { production: 3, tests: 4 });
        let beside = "//! A.\n#[cfg(test)]\nmod tests;\nfn a() {}\n";
        assert_eq!(count(beside), Lines { production: 4, tests: 0 });
    }
}
