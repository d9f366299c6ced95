//! Passwords are kept, checked, and hashed anew when they should be.

use berth_domain::SystemEntropy;

use super::*;

const SALT: &str = "abcdefghijklmnopqrstuvwxyz012345";

fn light(memory_kib: u32, waiting: usize) -> Passwords {
    let settings = PasswordSettings { memory_kib, iterations: 1, parallelism: 1, at_once: 1, waiting };
    Passwords::new(settings, Arc::new(SystemEntropy)).unwrap()
}

async fn check(passwords: &Passwords, stored: Option<&StoredPassword>, password: &str) -> Verdict {
    passwords.verify(stored.cloned(), Secret::new(password)).await.unwrap()
}

#[tokio::test]
async fn a_password_is_known_again_and_another_is_not() {
    let passwords = light(64, 8);
    let stored = passwords.hash(Secret::new("Correct1")).await.unwrap();
    let again = passwords.hash(Secret::new("Correct1")).await.unwrap();
    assert_ne!(stored.as_str(), again.as_str(), "salts differ");
    assert_eq!(StoredPassword::parse(stored.as_str()), Some(stored.clone()));
    assert_eq!(check(&passwords, Some(&stored), "Correct1").await, Verdict::Right { rehash: false });
    for wrong in ["correct1", "", "Correct1 ", &"Correct1".repeat(1000)] {
        assert_eq!(check(&passwords, Some(&stored), wrong).await, Verdict::Wrong);
    }
}

#[tokio::test]
async fn an_unknown_account_is_wrong_whatever_is_guessed() {
    let passwords = light(64, 8);
    assert_eq!(check(&passwords, None, "Correct1").await, Verdict::Wrong);
    assert_eq!(check(&passwords, None, "").await, Verdict::Wrong);
}

#[tokio::test]
async fn harbors_forms_are_known_and_flagged() {
    let passwords = light(64, 8);
    for (version, hash) in [
        ("sha1", "61c264701628885318f8963654f9d0dd"),
        ("sha256", "283FA77568A29B5503937171A208BEBC"),
        ("pbkdf2_sha256", "59830da7fd0007c923cdb9ea3c498cf4"),
        ("something newer", "59830da7fd0007c923cdb9ea3c498cf4"),
    ] {
        let stored = StoredPassword::Harbor(HarborHash::new(version, SALT, hash).unwrap());
        let read = StoredPassword::parse(stored.as_str()).unwrap();
        assert_eq!(check(&passwords, Some(&read), "Harbor12345").await, Verdict::Right { rehash: true });
        assert_eq!(check(&passwords, Some(&read), "Harbor12346").await, Verdict::Wrong);
    }
}

#[tokio::test]
async fn weaker_parameters_are_flagged() {
    let stored = light(64, 8).hash(Secret::new("Correct1")).await.unwrap();
    let verdict = check(&light(128, 8), Some(&stored), "Correct1").await;
    assert_eq!(verdict, Verdict::Right { rehash: true });
}

#[tokio::test]
async fn more_than_can_wait_are_refused() {
    let passwords = light(64, 0);
    let one_of_many = |password| passwords.verify(None, Secret::new(password));
    let (first, second) = tokio::join!(one_of_many("x"), one_of_many("y"));
    assert_eq!(first.unwrap(), Verdict::Wrong);
    assert!(matches!(second, Err(PasswordError::Busy)));
    assert_eq!(one_of_many("y").await.unwrap(), Verdict::Wrong, "the place is free again");
}

#[test]
fn broken_rows_are_no_password() {
    for broken in
        ["", "plain", "harbor$sha1", "harbor$sha1$salt$xyz", "harbor$sha1$$61c264701628885318f8963654f9d0dd"]
    {
        assert_eq!(StoredPassword::parse(broken), None, "{broken}");
    }
    let settings = PasswordSettings { memory_kib: 0, ..PasswordSettings::default() };
    assert!(matches!(Passwords::new(settings, Arc::new(SystemEntropy)), Err(PasswordError::Settings)));
}

#[test]
fn nothing_secret_is_shown() {
    let harbor = HarborHash::new("sha1", SALT, "61c264701628885318f8963654f9d0dd").unwrap();
    let shown = format!("{:?} {:?}", StoredPassword::Harbor(harbor), Secret::new("Harbor12345"));
    assert!(!shown.contains("61c26") && !shown.contains(SALT) && !shown.contains("Harbor12345"), "{shown}");
}
