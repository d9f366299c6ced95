//! Users: people's accounts, and the rules for their names and passwords.

use crate::Timestamp;
use crate::unseen::{JOINERS, is_unseen};

/// A user's number: small, never used again. `admin` is 1; 2 stays free, as in Harbor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

impl UserId {
    /// The first administrator.
    pub const ADMIN: Self = Self(1);
}

/// A person's account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// The name it logs in with; see [`check_username`].
    pub username: String,
    /// Its address; empty if there is none.
    pub email: String,
    /// The person's name.
    pub realname: String,
    /// A remark.
    pub comment: String,
    /// Whether it may do everything.
    pub sysadmin: bool,
    /// What was issued to it before this moment is refused; moved by every change of password and by disabling.
    pub valid_after: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Why a user's name, password or profile is refused; the words are for whoever typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Empty or too long.
    #[error("{0} must be 1 to {LONGEST_FIELD} bytes long")]
    Length(&'static str),
    /// A character that would break something.
    #[error("{0} must not contain any of {FORBIDDEN}, or control or invisible characters")]
    Characters(&'static str),
    /// Basic authentication ends the name at the first colon.
    #[error("username must not contain a colon or begin or end with a space")]
    Login,
    /// No address.
    #[error("email must look like name@example.org")]
    Email,
    /// Too long.
    #[error("comment must be at most {LONGEST_COMMENT} characters long")]
    Comment,
    /// Too easy.
    #[error(
        "the password or secret must be 8 to 128 characters long, with at least one uppercase letter, one lowercase letter and one number"
    )]
    Password,
    /// Basic authentication carries none (RFC 7617 §2): nobody could log in with it.
    #[error("the password or secret must not contain control characters")]
    PasswordCharacters,
}

/// The longest name, real name or address, in bytes.
pub const LONGEST_FIELD: usize = 255;
/// The longest remark, in characters.
pub const LONGEST_COMMENT: usize = 30;
/// What neither a user's name nor a real name may contain: robots' names and Harbor's queries live on it.
pub const FORBIDDEN: &str = ",\"~#%$";

/// Whether a new account may have this name.
pub fn check_username(name: &str) -> Result<(), UserError> {
    check_field("username", name)?;
    if name.contains(':') || name.trim() != name {
        return Err(UserError::Login);
    }
    Ok(())
}

/// Whether the rest of an account's page can be kept.
pub fn check_profile(email: &str, realname: &str, comment: &str) -> Result<(), UserError> {
    if email.len() > LONGEST_FIELD {
        return Err(UserError::Length("email"));
    }
    if !is_email(email) {
        return Err(UserError::Email);
    }
    check_realname(realname)?;
    if comment.contains(char::is_control) {
        return Err(UserError::Characters("comment"));
    }
    if comment.chars().count() > LONGEST_COMMENT {
        return Err(UserError::Comment);
    }
    Ok(())
}

/// Whether a password, a robot's chosen secret or a CLI secret is hard enough to guess.
pub fn check_password(password: &str) -> Result<(), UserError> {
    let has = |kind: fn(&u8) -> bool| password.bytes().any(|byte| kind(&byte));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    if password.contains(char::is_control) {
        return Err(UserError::PasswordCharacters);
    }
    if (8..=128).contains(&password.len()) && mixed { Ok(()) } else { Err(UserError::Password) }
}

/// A real name may have the joiners by which Persian and Indic names are written: nobody is known by it, so none looks like another.
fn check_realname(name: &str) -> Result<(), UserError> {
    if name.len() > LONGEST_FIELD {
        return Err(UserError::Length("realname"));
    }
    check_field("realname", &name.replace(JOINERS, ""))
}

fn check_field(field: &'static str, text: &str) -> Result<(), UserError> {
    if text.trim().is_empty() || text.len() > LONGEST_FIELD {
        return Err(UserError::Length(field));
    }
    if text.contains(|c: char| FORBIDDEN.contains(c) || is_unseen(c)) {
        return Err(UserError::Characters(field));
    }
    Ok(())
}

/// A local part, an at-sign, and a host with at least one dot and a top-level name of letters. Harbor's rule, without quoted
/// local parts and bare IP addresses, which nobody has.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let strange = |c: char| is_unseen(c) || c.is_whitespace() || "<>()[]\\,;:@\"".contains(c);
    let local_ok = local.split('.').all(|part| !part.is_empty() && !part.contains(strange));
    let label_ok =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let Some((labels, top)) = host.rsplit_once('.') else { return false };
    let top_ok = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    local_ok && top_ok && labels.split('.').all(label_ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["admin", "Jane Doe", "jane.doe@example.org", "Zoë", &"n".repeat(255)] {
            assert_eq!(check_username(good), Ok(()), "{good}");
        }
        for bad in ["", " ", &"n".repeat(256)] {
            assert_eq!(check_username(bad), Err(UserError::Length("username")), "{bad:?}");
        }
        for bad in [
            "robot$x",
            "a,b",
            "a\"b",
            "a~",
            "a#",
            "a%20",
            "a\nb",
            "a\0",
            "a\u{7f}",
            "adm\u{200b}in",
            "\u{feff}admin",
        ] {
            assert_eq!(check_username(bad), Err(UserError::Characters("username")), "{bad:?}");
        }
        for bad in ["a:b", " a", "a "] {
            assert_eq!(check_username(bad), Err(UserError::Login), "{bad:?}");
        }
    }

    #[test]
    fn passwords() {
        for good in ["Abcdefg1", "pässWort1", &"aB3".repeat(42)] {
            assert_eq!(check_password(good), Ok(()), "{good}");
        }
        for bad in ["", "Abcdef1", "abcdefg1", "ABCDEFG1", "Abcdefgh", &"aB3".repeat(43)] {
            assert_eq!(check_password(bad), Err(UserError::Password), "{bad}");
        }
        for bad in ["Abcdefg\n1", "Abcdefg1\r", "\0Abcdefg1", "Abc\u{7f}defg1", "Abc\u{85}defg1"] {
            assert_eq!(check_password(bad), Err(UserError::PasswordCharacters), "{bad:?}");
        }
    }

    #[test]
    fn profiles() {
        let check = |email: &str, comment: &str| check_profile(email, "Jane", comment);
        for good in ["jane@example.org", "j.d+x@a-b.example.co"] {
            assert_eq!(check(good, ""), Ok(()), "{good}");
        }
        for bad in [
            "",
            "jane",
            "jane@",
            "@example.org",
            "jane@example",
            "a b@example.org",
            "a..b@example.org",
            "j@e.o1",
            "ja\u{200d}ne@example.org",
        ] {
            assert_eq!(check(bad, ""), Err(UserError::Email), "{bad}");
        }
        assert_eq!(check("jane@example.org", &"ö".repeat(30)), Ok(()));
        assert_eq!(check("jane@example.org", &"o".repeat(31)), Err(UserError::Comment));
        assert_eq!(check_profile("jane@example.org", "", ""), Err(UserError::Length("realname")));
        for joined in ["عبد\u{200c}الله", "رضائی\u{200c}راد", "ക്രിസ്\u{200d}റ്റി"]
        {
            assert_eq!(check_profile("jane@example.org", joined, ""), Ok(()), "{joined}");
            assert_eq!(check_username(joined), Err(UserError::Characters("username")), "{joined}");
        }
        for bad in ["\u{200d}", " \u{200c}", &("\u{200c}".repeat(85) + "J")] {
            let refused = check_profile("jane@example.org", bad, "");
            assert_eq!(refused, Err(UserError::Length("realname")), "{bad:?}");
        }
        let turned = check_profile("jane@example.org", "Jane \u{202e}eoD", "");
        assert_eq!(turned, Err(UserError::Characters("realname")));
    }
}
