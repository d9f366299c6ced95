//! Users: made, found, changed, and the rules that stand above administrators.

use std::time::Duration;

use berth_access::{Caller, LoginError, Secret};
use berth_domain::UserId;
use berth_management::{Error, ManagementSettings, Profile, UserField, UserFilter};

use crate::house::{House, PASSWORD, first, new_user, word};

fn profile(email: &str) -> Profile {
    Profile { email: email.to_owned(), realname: "Jane".to_owned(), comment: String::new() }
}

#[tokio::test]
async fn who_may_make_accounts() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    assert_eq!(id, UserId(3));
    let by = |caller| house.management.as_caller(caller);
    assert_eq!(word(by(&jane).create_user(new_user("joe")).await), "denied");
    assert_eq!(word(by(&house.nobody).create_user(new_user("joe")).await), "log in");
    assert_eq!(word(by(&house.admin).create_user(new_user("jane")).await), "exists");
    let mut same_address = new_user("joe");
    same_address.email = "jane@example.org".to_owned();
    assert_eq!(word(by(&house.admin).create_user(same_address).await), "exists");
    for strange in ["", "robot$x", "a:b", &"n".repeat(256)] {
        assert_eq!(word(by(&house.admin).create_user(new_user(strange)).await), "invalid");
    }
    let mut weak = new_user("joe");
    weak.password = Secret::new("weak");
    assert_eq!(word(by(&house.admin).create_user(weak).await), "invalid");
}

#[tokio::test]
async fn strangers_make_themselves_accounts_where_that_is_switched_on_and_not_without_end() {
    let settings = ManagementSettings { self_registration: true, ..ManagementSettings::default() };
    let house = House::with(settings, true).await;
    let from = |last| Caller::anonymous(Some([192, 0, 2, last].into()), "request".to_owned());
    let (here, there) = (from(1), from(2));
    let by = |caller| house.management.as_caller(caller);
    assert_eq!(word(by(&here).create_user(new_user("joe")).await), "done");
    assert!(by(&here).user_exists(UserField::Username, "joe").await.unwrap());
    let joe = house.log_in("joe", PASSWORD).await.unwrap();
    assert_eq!(word(by(&joe).create_user(new_user("jim")).await), "denied", "who has an account needs none");

    let mut made = 1;
    while word(by(&here).create_user(new_user(&format!("n{made}"))).await) == "done" {
        made += 1;
        assert!(made < 100, "nothing holds them up");
    }
    assert_eq!(word(by(&here).create_user(new_user("one-more")).await), "too often");
    assert_eq!(word(by(&there).create_user(new_user("one-more")).await), "done");
    assert_eq!(word(by(&house.admin).create_user(new_user("another")).await), "done");
    house.clock.advance(Duration::from_mins(1));
    assert_eq!(word(by(&here).create_user(new_user("a-minute-later")).await), "done");

    let mut asked = 0;
    while by(&here).user_exists(UserField::Username, "joe").await.is_ok() {
        asked += 1;
        assert!(asked < 100, "nothing holds them up");
    }
    assert_eq!(word(by(&here).user_exists(UserField::Username, "joe").await), "too often");
    assert!(by(&there).user_exists(UserField::Username, "joe").await.unwrap());
}

#[tokio::test]
async fn everybody_sees_themselves_and_finds_the_names_of_others() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    let by = |caller| house.management.as_caller(caller);
    assert_eq!(by(&jane).current_user().await.unwrap().id, id);
    assert_eq!(word(by(&house.nobody).current_user().await), "log in");
    assert_eq!(by(&jane).user(id).await.unwrap().email, "jane@example.org");
    assert_eq!(word(by(&jane).user(UserId::ADMIN).await), "denied");
    assert_eq!(word(by(&jane).user(UserId(4711)).await), "denied");
    assert_eq!(word(by(&house.admin).user(UserId(4711)).await), "not found");
    assert_eq!(word(by(&jane).users(&UserFilter::default(), first(10)).await), "denied");
    let all = by(&house.admin).users(&UserFilter::default(), first(1)).await.unwrap();
    assert_eq!((all.items[0].id, all.total), (id, 1), "the first administrator is not among them");
    let found = by(&jane).search_users("ADM", 0, 10).await.unwrap();
    assert_eq!((found.items[0].username.as_str(), found.total), ("admin", 1));
    assert_eq!(word(by(&house.nobody).search_users("a", 0, 10).await), "log in");
    assert_eq!(word(by(&jane).user_exists(UserField::Username, "jane").await), "precondition");
    assert!(by(&house.admin).user_exists(UserField::Email, "jane@example.org").await.unwrap());
    assert_eq!(word(by(&jane).update_user(id, profile("new@example.org")).await), "done");
    assert_eq!(word(by(&jane).update_user(UserId::ADMIN, profile("a@example.org")).await), "denied");
    assert_eq!(word(by(&house.admin).update_user(id, profile("none")).await), "invalid");
}

#[tokio::test]
async fn a_password_takes_the_old_one_and_ends_what_was_issued() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    let by = |caller| house.management.as_caller(caller);
    let (old, new) = (|| Some(Secret::new(PASSWORD)), || Secret::new("An0ther password"));
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(word(by(&jane).set_password(id, None, new()).await), "forbidden");
    assert_eq!(word(by(&jane).set_password(id, Some(new()), new()).await), "forbidden");
    assert_eq!(word(by(&jane).set_password(id, old(), Secret::new(PASSWORD)).await), "invalid");
    assert_eq!(word(by(&jane).set_password(UserId::ADMIN, old(), new()).await), "denied");
    assert_eq!(word(by(&jane).set_password(id, old(), new()).await), "done");
    assert_eq!(word(by(&jane).current_user().await), "log in");
    assert!(matches!(house.log_in("jane", PASSWORD).await, Err(LoginError::Wrong)));
    let jane = house.log_in("jane", "An0ther password").await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(word(by(&house.admin).set_password(id, None, Secret::new("Th1rd password")).await), "done");
    assert_eq!(word(by(&jane).current_user().await), "log in");
    let jane = house.log_in("jane", "Th1rd password").await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(word(by(&jane).set_cli_secret(id, Secret::new("weak")).await), "invalid");
    assert_eq!(word(by(&jane).set_cli_secret(id, Secret::new("Cl1 secret of Jane")).await), "done");
    house.log_in("jane", "Cl1 secret of Jane").await.unwrap();
    assert_eq!(word(by(&jane).current_user().await), "log in");
}

#[tokio::test]
async fn guesses_at_the_old_password_are_slowed_down() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    let handle = house.management.as_caller(&jane);
    let guess =
        || handle.set_password(id, Some(Secret::new("Wrong passw0rd")), Secret::new("An0ther password"));
    let mut last = guess().await;
    for _ in 0..10 {
        if matches!(last, Err(Error::LogIn(LoginError::Slow { .. }))) {
            break;
        }
        last = guess().await;
    }
    assert!(matches!(last, Err(Error::LogIn(LoginError::Slow { .. }))), "{last:?}");
}

#[tokio::test]
async fn one_system_administrator_stays() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    let by = |caller| house.management.as_caller(caller);
    assert_eq!(word(by(&house.admin).set_sysadmin(UserId::ADMIN, false).await), "precondition");
    assert_eq!(word(by(&jane).set_sysadmin(id, true).await), "denied");
    assert_eq!(word(by(&house.admin).set_sysadmin(id, true).await), "done");
    assert_eq!(word(by(&jane).set_sysadmin(UserId::ADMIN, false).await), "done");
    assert_eq!(word(by(&house.admin).users(&UserFilter::default(), first(1)).await), "denied");
    assert_eq!(word(by(&jane).delete_user(id).await), "forbidden");
    assert_eq!(word(by(&jane).delete_user(UserId::ADMIN).await), "forbidden");
    assert_eq!(word(by(&jane).set_sysadmin(id, false).await), "precondition");
    let (joe, caller) = house.user_by(&jane, "joe").await;
    assert_eq!(word(by(&jane).delete_user(joe).await), "done");
    assert_eq!(word(by(&jane).delete_user(joe).await), "not found");
    assert_eq!(word(by(&caller).current_user().await), "log in");
}
