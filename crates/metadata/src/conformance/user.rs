//! Users.

use berth_domain::{MemberEntity, RoleId, UserId};
use futures::future::join_all;

use super::access::{added, group, new_user, project, user, whole};
use super::scene::{at, begin, lost};
use crate::refresh_token::RefreshToken;
use crate::session::Session;
use crate::user::{NewUser, UserFilter, UserOrder};
use crate::{Added, Metadata, Window};

/// Runs before all other cases: account 1 owns their projects.
pub(super) async fn numbers_begin_as_harbors(metadata: &dyn Metadata) {
    let admin = NewUser { sysadmin: true, ..new_user("admin") };
    let mut tx = begin(metadata).await;
    assert!(tx.ensure_admin(&admin, at(1)).await.expect("an answer"));
    assert!(!tx.ensure_admin(&admin, at(2)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(user(metadata, "third").await, UserId(3));
    let mut tx = begin(metadata).await;
    assert!(!tx.ensure_admin(&new_user("another"), at(3)).await.expect("an answer"));
    drop(tx);
    let found = metadata.user_credentials("admin").await.expect("an answer").expect("an account");
    assert_eq!((found.user.id, found.user.sysadmin), (UserId::ADMIN, true));
    assert_eq!((found.user.created_at, found.user.valid_after), (at(1), at(1)));
    assert_eq!(found.password.as_deref(), Some("kept admin"));
    assert_eq!(found.cli_secret, None);
}

pub(super) async fn a_name_and_an_address_are_taken_once(metadata: &dyn Metadata) {
    let id = user(metadata, "once").await;
    let exists = async |user: NewUser| {
        let mut tx = begin(metadata).await;
        let outcome = tx.add_user(&user, at(0)).await.expect("an answer");
        tx.commit().await.expect("a commit");
        outcome == Added::Exists
    };
    assert!(exists(NewUser { email: "other@example.org".to_owned(), ..new_user("once") }).await);
    assert!(exists(NewUser { email: "once@example.org".to_owned(), ..new_user("not-once") }).await);
    assert!(!exists(NewUser { email: String::new(), ..new_user("no address 1") }).await);
    assert!(!exists(NewUser { email: String::new(), ..new_user("no address 2") }).await);
    assert!(!exists(new_user("Once")).await);
    assert_eq!(metadata.user(id).await.expect("an answer").expect("an account").username, "once");
    assert_eq!(metadata.user_credentials("ONCE").await.expect("an answer"), None);
    assert_eq!(metadata.user_credentials("on\0ce").await.expect("an answer"), None);
}

pub(super) async fn a_login_is_a_name_or_else_an_address(metadata: &dyn Metadata) {
    let mailed = user(metadata, "mailed").await;
    let found = async |login: &str| {
        let found = metadata.user_by_login(login).await.expect("an answer");
        found.map(|found| found.user.id)
    };
    assert_eq!(found("mailed").await, Some(mailed));
    assert_eq!(found("mailed@example.org").await, Some(mailed));
    for nobody in ["Mailed@example.org", "example.org", "", "mailed@example.org\0", "unmailed"] {
        assert_eq!(found(nobody).await, None, "{nobody:?}");
    }
    let both = NewUser { email: "both@example.org".to_owned(), ..new_user("both@example.org") };
    let mut tx = begin(metadata).await;
    let both = added(tx.add_user(&both, at(0)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(found("both@example.org").await, Some(both));
    let mut tx = begin(metadata).await;
    assert!(tx.delete_user(both, at(1)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(found("both@example.org").await, None, "who is gone has no name");
}

pub(super) async fn a_name_is_nobody_elses_address(metadata: &dyn Metadata) {
    let addressed = user(metadata, "addressed").await;
    let named = NewUser { email: String::new(), ..new_user("named@example.org") };
    let add = async |user: &NewUser| {
        let mut tx = begin(metadata).await;
        let outcome = tx.add_user(user, at(0)).await.expect("an answer");
        tx.commit().await.expect("a commit");
        outcome
    };
    let change = async |id, email: &str| {
        let mut tx = begin(metadata).await;
        let outcome = tx.set_user_profile(id, email, "A", "", at(1)).await.expect("an answer");
        tx.commit().await.expect("a commit");
        outcome
    };
    let posing = NewUser { email: String::new(), ..new_user("addressed@example.org") };
    assert_eq!(add(&posing).await, Added::Exists, "a name that is an address");
    let id = added(add(&named).await);
    let claiming = NewUser { email: "named@example.org".to_owned(), ..new_user("claiming") };
    assert_eq!(add(&claiming).await, Added::Exists, "an address that is a name");
    assert_eq!(change(addressed, "named@example.org").await, Some(Added::Exists), "later, too");
    assert_eq!(change(id, "named@example.org").await, Some(Added::Added(id)), "one's own");
    assert_eq!(change(addressed, "moved@example.org").await, Some(Added::Added(addressed)));
    added(add(&posing).await);
}

pub(super) async fn one_of_many_takes_the_login(metadata: &dyn Metadata) {
    let take = async |n: i64| {
        // Every other one as its name, the rest as their address.
        let (name, email) = match n % 2 {
            0 => ("shared@example.org".to_owned(), format!("sharer{n}@example.org")),
            _ => (format!("sharer{n}"), "shared@example.org".to_owned()),
        };
        let mut tx = begin(metadata).await;
        let outcome = lost(tx.add_user(&NewUser { email, ..new_user(&name) }, at(n)).await)?;
        lost(tx.commit().await).map(|()| outcome)
    };
    let outcomes: Vec<_> = join_all((0..8).map(take)).await.into_iter().flatten().collect();
    let winners = outcomes.iter().filter(|outcome| **outcome != Added::Exists).count();
    assert_eq!(winners, 1, "{outcomes:?}");
}

pub(super) async fn what_is_closest_comes_first(metadata: &dyn Metadata) {
    for name in ["a close one", "close", "closest", "z close"] {
        user(metadata, name).await;
    }
    let filter = UserFilter { username_like: Some("close".to_owned()), ..UserFilter::default() };
    let page = Window { order: UserOrder::Closest, descending: false, offset: 1, limit: 2 };
    let found = metadata.users(&filter, page).await.expect("a list");
    let names: Vec<_> = found.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["closest", "z close"], "of close, closest, z close, a close one");
    let after = UserFilter { after: Some(found[0].id), ..filter };
    assert_eq!(metadata.count_users(&after).await.expect("a count"), 1, "of those that were made later");
}

pub(super) async fn one_of_many_takes_the_name(metadata: &dyn Metadata) {
    let take = async |n: i64| {
        let mut tx = begin(metadata).await;
        let account = NewUser { email: format!("raced{n}@example.org"), ..new_user("raced") };
        let outcome = lost(tx.add_user(&account, at(n)).await)?;
        lost(tx.commit().await).map(|()| outcome)
    };
    let outcomes: Vec<_> = join_all((0..8).map(take)).await.into_iter().flatten().collect();
    let winners = outcomes.iter().filter(|outcome| **outcome != Added::Exists).count();
    assert_eq!(winners, 1, "{outcomes:?}");
}

pub(super) async fn secrets_move_what_is_valid(metadata: &dyn Metadata) {
    let id = user(metadata, "secretive").await;
    let read = async || metadata.user_credentials("secretive").await.expect("an answer").expect("an account");
    let mut tx = begin(metadata).await;
    assert!(tx.set_user_password(id, "second", at(5)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    let found = read().await;
    assert_eq!((found.password.as_deref(), found.user.valid_after), (Some("second"), at(5)));
    assert_eq!((found.user.created_at, found.user.updated_at), (at(0), at(5)));

    let mut tx = begin(metadata).await;
    assert!(!tx.rehash_user_password(id, "first", "lost").await.expect("an answer"));
    assert!(tx.rehash_user_password(id, "second", "second, newer").await.expect("an answer"));
    tx.commit().await.expect("a commit");
    let found = read().await;
    assert_eq!((found.password.as_deref(), found.user.valid_after), (Some("second, newer"), at(5)));

    let mut tx = begin(metadata).await;
    assert!(tx.set_user_cli_secret(id, "cli", at(7)).await.expect("an answer"));
    assert!(tx.set_user_sysadmin(id, true, at(8)).await.expect("an answer"));
    assert!(tx.set_user_sysadmin(id, false, at(8)).await.expect("an answer"));
    let profile = tx.set_user_profile(id, "s@example.org", "S", "a remark", at(9)).await;
    assert_eq!(profile.expect("an answer"), Some(Added::Added(id)));
    tx.commit().await.expect("a commit");
    let found = read().await;
    assert_eq!((found.cli_secret.as_deref(), found.user.valid_after), (Some("cli"), at(7)));
    let page = (&*found.user.email, &*found.user.realname, &*found.user.comment, found.user.updated_at);
    assert_eq!(page, ("s@example.org", "S", "a remark", at(9)));

    user(metadata, "neighbour").await;
    let mut tx = begin(metadata).await;
    let taken = tx.set_user_profile(id, "neighbour@example.org", "S", "", at(9)).await;
    assert_eq!(taken.expect("an answer"), Some(Added::Exists));
    let nobody = tx.set_user_profile(UserId(i64::MAX), "x@example.org", "S", "", at(9)).await;
    assert_eq!(nobody.expect("an answer"), None);
    assert!(!tx.set_user_password(UserId(i64::MAX), "x", at(9)).await.expect("an answer"));
}

pub(super) async fn an_earlier_clock_ends_what_was_before(metadata: &dyn Metadata) {
    let id = user(metadata, "time traveller").await;
    let valid_after = async || metadata.user(id).await.expect("an answer").expect("an account").valid_after;
    let mut before = valid_after().await;
    // Forward, at the same moment, and from a clock that is behind.
    for moment in [100, 100, 40, 40] {
        for cli in [false, true] {
            let mut tx = begin(metadata).await;
            let there = if cli {
                tx.set_user_cli_secret(id, "cli", at(moment)).await
            } else {
                tx.set_user_password(id, "password", at(moment)).await
            };
            assert!(there.expect("an answer"));
            tx.commit().await.expect("a commit");
            let after = valid_after().await;
            assert!(after > before, "{after:?} is not after {before:?}");
            before = after;
        }
    }
}

pub(super) async fn deletion_takes_everything_but_the_number(metadata: &dyn Metadata) {
    let id = user(metadata, "leaver").await;
    let project = project(metadata, "left-behind").await;
    let team = group(metadata, "left team").await;
    let (hash, service) = ([1; 32], "berth".to_owned());
    let mut tx = begin(metadata).await;
    tx.add_member(project, MemberEntity::User(id), RoleId::GUEST, at(1)).await.expect("a member");
    tx.set_groups_of(id, &[team]).await.expect("groups");
    let session = Session { id_hash: hash, user: id, created_at: at(1), expires_at: at(9) };
    tx.add_session(&session).await.expect("a session");
    let (client_id, issued_at, last_used_at) = ("docker".to_owned(), at(1), at(1));
    let token = RefreshToken { hash, user: id, service, client_id, issued_at, last_used_at };
    tx.add_refresh_token(&token).await.expect("a token");
    tx.commit().await.expect("a commit");
    assert!(metadata.session(&hash).await.expect("an answer").is_some());

    let mut tx = begin(metadata).await;
    assert!(tx.delete_user(id, at(2)).await.expect("an answer"));
    assert!(!tx.delete_user(id, at(2)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.user(id).await.expect("an answer"), None);
    assert_eq!(metadata.user_credentials("leaver").await.expect("an answer"), None);
    assert_eq!(metadata.user_standing(id, None).await.expect("an answer"), None);
    assert_eq!(metadata.count_members(project, None).await.expect("a count"), 0);
    assert_eq!(metadata.groups_of(id).await.expect("a list"), []);
    assert_eq!(metadata.session(&hash).await.expect("an answer"), None);
    assert_eq!(metadata.refresh_token(&hash).await.expect("an answer"), None);

    let again = user(metadata, "leaver").await;
    assert!(again > id, "{again:?} after {id:?}");
    let mut tx = begin(metadata).await;
    assert!(!tx.set_user_password(id, "x", at(3)).await.expect("an answer"));
    assert!(!tx.rehash_user_password(id, "kept leaver", "x").await.expect("an answer"));
}

pub(super) async fn one_sysadmin_stays(metadata: &dyn Metadata) {
    let first = user(metadata, "sysadmin one").await;
    let second = user(metadata, "sysadmin two").await;
    let mut tx = begin(metadata).await;
    tx.set_user_sysadmin(first, true, at(1)).await.expect("an answer");
    tx.set_user_sysadmin(second, true, at(1)).await.expect("an answer");
    let before = tx.lock_sysadmins().await.expect("a count");
    tx.commit().await.expect("a commit");
    // Each gives way to nobody: only so many may go as leave one more than there were before.
    let demote = async |id: UserId| loop {
        let mut tx = begin(metadata).await;
        let Some(count) = lost(tx.lock_sysadmins().await) else { continue };
        if count < before {
            return false;
        }
        if lost(tx.set_user_sysadmin(id, false, at(2)).await).is_none() {
            continue;
        }
        if lost(tx.commit().await).is_some() {
            return true;
        }
    };
    let (one, two) = futures::future::join(demote(first), demote(second)).await;
    assert!(one != two, "exactly one goes: {one} {two}");
}

pub(super) async fn the_first_sysadmin_is_the_oldest(metadata: &dyn Metadata) {
    let (young, gone) = (user(metadata, "young sysadmin").await, user(metadata, "gone sysadmin").await);
    let mut tx = begin(metadata).await;
    tx.set_user_sysadmin(young, true, at(1)).await.expect("an answer");
    tx.set_user_sysadmin(gone, true, at(1)).await.expect("an answer");
    tx.delete_user(gone, at(2)).await.expect("an answer");
    tx.commit().await.expect("a commit");
    let window = Window { order: UserOrder::Id, descending: false, offset: 0, limit: 1000 };
    let all = metadata.users(&UserFilter::default(), window).await.expect("a list");
    let oldest = all.iter().find(|user| user.sysadmin).map(|user| user.id);
    assert!(oldest.is_some());
    assert_eq!(metadata.first_sysadmin().await.expect("an answer"), oldest);
}

pub(super) async fn lists_are_filtered_and_sorted(metadata: &dyn Metadata) {
    for (name, moment) in [("list_b", 30), ("list_A", 20), ("listXc", 20), ("list_ü%", 10)] {
        let mut tx = begin(metadata).await;
        added(tx.add_user(&new_user(name), at(moment)).await.expect("an answer"));
        tx.commit().await.expect("a commit");
    }
    let like = |text: &str| UserFilter { username_like: Some(text.to_owned()), ..UserFilter::default() };
    let names = async |filter: &UserFilter, order, descending, offset, limit| {
        let window = Window { order, descending, offset, limit };
        let users = metadata.users(filter, window).await.expect("a list");
        users.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    let all = like("LIST");
    assert_eq!(names(&all, UserOrder::Id, false, 0, 9).await, ["list_b", "list_A", "listXc", "list_ü%"]);
    assert_eq!(names(&all, UserOrder::Id, true, 0, 9).await, ["list_ü%", "listXc", "list_A", "list_b"]);
    assert_eq!(
        names(&all, UserOrder::Username, false, 0, 9).await,
        ["listXc", "list_A", "list_b", "list_ü%"]
    );
    assert_eq!(names(&all, UserOrder::Username, true, 1, 2).await, ["list_b", "list_A"]);
    assert_eq!(
        names(&all, UserOrder::CreatedAt, false, 0, 9).await,
        ["list_ü%", "list_A", "listXc", "list_b"]
    );
    assert_eq!(
        names(&all, UserOrder::CreatedAt, true, 0, 9).await,
        ["list_b", "listXc", "list_A", "list_ü%"]
    );
    assert_eq!(names(&all, UserOrder::Id, false, 4, 9).await, [""; 0]);
    assert_eq!(
        names(&like("list_"), UserOrder::Username, false, 0, 9).await,
        ["list_A", "list_b", "list_ü%"]
    );
    assert_eq!(names(&like("ü%"), UserOrder::Id, false, 0, 9).await, ["list_ü%"]);
    for nothing in ["list\0", &"list".repeat(30_000), "!"] {
        assert_eq!(names(&like(nothing), UserOrder::Id, false, 0, 9).await, [""; 0]);
    }
    assert_eq!(metadata.count_users(&all).await.expect("a count"), 4);
    let one = UserFilter { username: vec!["list_b".to_owned()], ..UserFilter::default() };
    assert_eq!(metadata.count_users(&one).await.expect("a count"), 1);
    let any = ["list_ü%", "list_b", "LIST_A", "list_b\nlist_A", "list\0", "listXc,list_A", ""];
    let any = UserFilter { username: any.map(str::to_owned).to_vec(), ..UserFilter::default() };
    assert_eq!(names(&any, UserOrder::Id, false, 0, 9).await, ["list_b", "list_ü%"], "each exactly");
    let none = UserFilter { username: vec!["list\0".to_owned()], ..UserFilter::default() };
    assert_eq!(metadata.count_users(&none).await.expect("a count"), 0, "what cannot be is not everybody");
    let address = UserFilter {
        email_like: Some("LIST_B@".to_owned()),
        email: vec!["list_b@example.org".to_owned()],
        ..all
    };
    assert_eq!(names(&address, UserOrder::Id, false, 0, 9).await, ["list_b"]);
    let everybody = metadata.users(&UserFilter::default(), whole()).await.expect("a list");
    assert_eq!(metadata.count_users(&UserFilter::default()).await.expect("a count"), everybody.len() as u64);
}
