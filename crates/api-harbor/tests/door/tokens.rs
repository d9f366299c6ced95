//! Tokens of the registry, shown where they open little, and what is no token.

use std::sync::Arc;
use std::time::Duration;

use berth_access::Caller;
use berth_access::scope::parse_scopes;
use berth_access::token::{KeySet, LONGEST_TOKEN, SigningKey, TokenSettings, Tokens};
use berth_domain::{Actor, ActorKind, Clock, SystemEntropy, Timestamp};

use crate::house::{House, PASSWORD};

fn admin() -> Actor {
    Actor { kind: ActorKind::User, id: 1, name: "admin".to_owned() }
}

fn tokens(house: &House, keys: KeySet, service: &str) -> Tokens {
    let settings = TokenSettings {
        issuer: "berth".to_owned(),
        service: service.to_owned(),
        lifetime: Duration::from_mins(30),
        remembered: 1,
        longest: LONGEST_TOKEN,
    };
    Tokens::new(settings, keys, Arc::<berth_testkit::TestClock>::clone(&house.clock), Arc::new(SystemEntropy))
}

#[tokio::test]
async fn a_token_of_the_registry_looks_and_changes_nothing() {
    let house = House::open().await;
    house.project("team", false).await;
    let mut caller = Caller::anonymous(None, String::new());
    (caller.actor, caller.issued_at) = (admin(), house.clock.now());
    let everything = parse_scopes(["registry:catalog:* repository:team/a:pull,push,delete"]).expect("scopes");
    let granted = house.gatekeeper.tokens.issue(&caller, &everything).await.expect("a token");
    let bearer = format!("Bearer {}", granted.token.token.reveal());
    house.ask("GET /users/current").header("authorization", &bearer).await.expect(200);
    house.ask("GET /systeminfo").header("authorization", &bearer).await.expect(200);
    for line in [
        "GET /projects/team",
        "GET /users",
        "GET /users/search?username=a",
        "GET /usergroups/search?groupname=a",
        "GET /permissions",
        "DELETE /projects/team",
        "GET /robots",
    ] {
        let refused = house.ask(line).header("authorization", &bearer).await.refused(403, "FORBIDDEN");
        assert!(refused.words().contains("show a name and a secret"), "{}", refused.words());
    }
    // Not even what whoever shows nothing gets.
    house.ask("GET /projects/library").header("authorization", &bearer).await.refused(403, "FORBIDDEN");
    house.ask("GET /projects/library").await.expect(200);
    let password = serde_json::json!({"old_password": PASSWORD, "new_password": "An0ther password"});
    let change = house.ask("PUT /users/1/password").header("authorization", &bearer).json(&password);
    change.await.refused(403, "FORBIDDEN");
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_with_words() {
    let house = House::open().await;
    let own = (*house.gatekeeper.keyring().tokens().keys()).clone();
    let foreign = KeySet::new([SigningKey::from_seed(&[7; 32], Timestamp::from_micros(0)).expect("a key")]);
    let issue = |tokens: Tokens| {
        let issued = tokens.issue(&admin(), house.clock.now(), Vec::new()).expect("a token");
        issued.token.reveal().to_owned()
    };
    let good = issue(tokens(&house, own.clone(), "harbor-registry"));
    house.ask("GET /users/current").header("authorization", &format!("Bearer {good}")).await.expect(200);
    let claims = good.split('.').nth(1).expect("claims");
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    for (token, words) in [
        (unsigned, "algorithm"),
        (issue(tokens(&house, own, "elsewhere")), "another service"),
        (issue(tokens(&house, foreign, "harbor-registry")), "unknown key"),
        (good[..good.len() - 9].to_owned(), "malformed"),
        ("a".repeat(1 << 20), "longer than any that is issued here"),
    ] {
        // Also where nobody has to say who they are.
        for line in ["GET /projects", "GET /users/current"] {
            let ask = house.ask(line).header("authorization", &format!("Bearer {token}"));
            let refused = ask.await.refused(401, "UNAUTHORIZED");
            assert!(refused.words().contains(words), "{}", refused.words());
        }
    }
}
