//! Sessions, passwords and throttling with two servers on one database: what ends on one ends on the other.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_mail::testing::StubSmtp;

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant};
use crate::on_both_databases;
use crate::server::{Server, Settings};
use crate::wait_for;

const OTHER: &str = "eleven boats before the northern wind";
const USER: &str = "user@acme.example.org";

/// What a server may remember of a caller, and some time to ask it.
const A_SECOND: Duration = Duration::from_millis(1_100);

/// What is done, and how; the client is the user's.
type End<'a> = (&'a str, &'a dyn Fn(&Client));

on_both_databases! {
    what_ends_on_one_server_ends_on_the_other_within_a_second
    a_refresh_token_is_good_once_for_all_servers
    whoever_fails_on_one_server_waits_on_the_other
    a_forgotten_password_is_set_by_the_link_in_a_mail
}

/// Two servers, and a user of one tenant.
struct Pair {
    house: House,
    other: Server,
    user: Value,
}

impl Pair {
    fn open(database: &Database) -> Self {
        let house = House::open(database);
        house
            .superuser
            .post("/admin/tenants/", &plain_tenant("acme"))
            .expect(201);
        let user = json!({ "email": USER, "password": PASSWORD, "tenant_id": "acme" });
        let user = house.superuser.post("/admin/users/", &user).expect(201);
        Self {
            other: Server::start(&house.settings),
            house,
            user,
        }
    }

    fn log_in(&self) -> Value {
        let login = json!({ "email": USER, "password": PASSWORD });
        self.house.server.client().post("/login", &login).expect(200)
    }

    /// The user at the first server and at the second.
    fn both(&self, tokens: &Value) -> [Client; 2] {
        let token = tokens["access_token"].as_str().unwrap();
        [&self.house.server, &self.other].map(|server| server.client().with_token(token))
    }

    fn change(&self, change: &Value) {
        let path = format!("/admin/users/{}", self.user["id"].as_str().unwrap());
        self.house.superuser.put(&path, change).expect(200);
    }
}

fn what_ends_on_one_server_ends_on_the_other_within_a_second(database: &Database) {
    let pair = Pair::open(database);
    let ends: [End<'_>; 6] = [
        ("one session", &|here| {
            assert_eq!(here.delete("/sessions/current").status, 204);
        }),
        ("all sessions", &|here| {
            assert_eq!(here.post("/logout", &json!({})).status, 204);
        }),
        ("a new password", &|here| {
            let change = json!({ "current_password": PASSWORD, "new_password": OTHER });
            here.post("/users/me/password", &change).expect(200);
            pair.change(&json!({ "password": PASSWORD }));
        }),
        ("another role", &|_| {
            pair.change(&json!({ "role": "admin" }));
            pair.change(&json!({ "role": "member" }));
        }),
        ("another state", &|_| {
            pair.change(&json!({ "is_active": false }));
            pair.change(&json!({ "is_active": true }));
        }),
        ("a tenant that is closed", &|_| {
            pair.house.superuser.delete("/admin/tenants/acme").expect(200);
            pair.house
                .superuser
                .put("/admin/tenants/acme", &json!({ "is_active": true }))
                .expect(200);
        }),
    ];
    for (what, end) in ends {
        let tokens = pair.log_in();
        let [here, there] = pair.both(&tokens);
        there.get("/users/me").expect(200);
        end(&here);
        assert_eq!(here.get("/users/me").error(401), "unauthenticated", "{what}");
        std::thread::sleep(A_SECOND);
        assert_eq!(there.get("/users/me").error(401), "unauthenticated", "{what}");
        let refresh = json!({ "refresh_token": tokens["refresh_token"] });
        assert_eq!(
            there.post("/refresh", &refresh).error(401),
            "invalid_refresh_token",
            "{what}"
        );
    }
}

fn a_refresh_token_is_good_once_for_all_servers(database: &Database) {
    let pair = Pair::open(database);
    let tokens = pair.log_in();
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let [here, there] = pair.both(&tokens);
    let next = here.post("/refresh", &refresh).expect(200);
    assert_eq!(there.get("/sessions").expect(200)["total"], 1);
    assert_eq!(
        there.post("/refresh", &refresh).error(401),
        "invalid_refresh_token"
    );
    std::thread::sleep(A_SECOND);
    for client in pair.both(&next) {
        assert_eq!(client.get("/users/me").error(401), "unauthenticated");
    }
    let next = json!({ "refresh_token": next["refresh_token"] });
    assert_eq!(here.post("/refresh", &next).error(401), "invalid_refresh_token");
}

fn whoever_fails_on_one_server_waits_on_the_other(database: &Database) {
    let pair = Pair::open(database);
    let wrong = json!({ "email": USER, "password": OTHER });
    let servers = [pair.house.server.client(), pair.other.client()];
    let told: Vec<u16> = (0..14)
        .map(|attempt| servers[attempt % 2].post("/login", &wrong).status)
        .collect();
    assert!(told[..10].iter().all(|status| *status == 401), "{told:?}");
    assert!(told[12..].contains(&429), "{told:?}");
    let right = json!({ "email": USER, "password": PASSWORD });
    let tokens = wait_for("the wait to be over", || {
        let answer = servers[1].post("/login", &right);
        assert!(matches!(answer.status, 200 | 429), "{}", answer.status);
        (answer.status == 200).then(|| answer.json())
    });
    assert!(tokens["refresh_token"].is_string());
}

fn a_forgotten_password_is_set_by_the_link_in_a_mail(database: &Database) {
    let mails = StubSmtp::start();
    let settings = Settings::new(&database.url())
        .with("SMTP_URL", &mails.url())
        .with("MAIL_FROM", "tenantry@example.org")
        .with("PUBLIC_URL", "https://rag.example.org");
    let house = House::open_with(settings);
    let client = house.server.client();
    for email in ["nobody@example.org", "root@example.org"] {
        let asked = client.post("/password-reset/request", &json!({ "email": email }));
        assert_eq!(asked.status, 202);
    }
    let mail = wait_for("a mail", || mails.mails().pop());
    assert_eq!((mail.to.as_str(), mails.mails().len()), ("root@example.org", 1));
    let text = mail.text();
    let (_, link) = text
        .split_once("https://rag.example.org/password-reset#token=")
        .unwrap();
    let token = link.split_whitespace().next().unwrap();
    let reset = json!({ "token": token, "new_password": OTHER });
    assert_eq!(client.post("/password-reset", &reset).status, 204);
    assert_eq!(house.superuser.get("/users/me").error(401), "unauthenticated");
    client.log_in("root@example.org", OTHER);
    assert_eq!(
        client.post("/password-reset", &reset).error(422),
        "invalid_reset_token"
    );

    // The command line gives out such links too.
    let output = house.settings.run(
        house.server.folder(),
        &["user", "reset", "--email", "root@example.org"],
    );
    assert!(output.status.success(), "{output:?}");
    let link = String::from_utf8(output.stdout).unwrap();
    let token = link
        .trim()
        .strip_prefix("https://rag.example.org/password-reset#token=")
        .unwrap();
    let reset = json!({ "token": token, "new_password": PASSWORD });
    assert_eq!(client.post("/password-reset", &reset).status, 204);
    client.log_in("root@example.org", PASSWORD);
    assert!(!house.server.log().contains("tnp_"), "{}", house.server.log());
}
