//! Secrets that are replaced while tokens and challenges signed with them are in use.

use crate::support::{Server, jwt_part, settings};
use saltmine_server::Settings;

const NEXT_POW: &str = "the next proof-of-work secret of these tests";
const NEXT_TOKEN: &str = "the next session token secret of these tests";

/// Returns settings that sign with the next secrets, and accept the signatures of the previous ones.
fn rotated() -> Settings {
    let mut rotated = settings();
    let pow = rotated.proof_of_work.as_mut().unwrap();
    pow.second_secret = Some(std::mem::replace(&mut pow.secret, NEXT_POW.into()));
    rotated.second_token_secret = Some(std::mem::replace(&mut rotated.token_secret, NEXT_TOKEN.into()));
    rotated
}

/// Returns settings with only the next secrets.
fn finished() -> Settings {
    let mut finished = rotated();
    finished.proof_of_work.as_mut().unwrap().second_secret = None;
    finished.second_token_secret = None;
    finished
}

#[tokio::test]
async fn what_was_signed_before_is_good_until_the_end_of_the_rotation() {
    let before = Server::new().await;
    let app = before.web_client().await;
    let (first, second) = (before.solution().await, before.solution().await);
    let bearer = format!("Bearer {}", before.token(&app).await);

    let during = before.another_with(rotated()).await;
    let headers = [("x-inkeep-challenge-solution", &*first), ("authorization", &*bearer)];
    let answer = during.open_session(&app, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(jwt_part(&token, 1)["sub"], jwt_part(&bearer, 1)["sub"], "the user stays the same");
    assert_eq!(
        during.open_session(&app, &headers).await.json()["reason"],
        "pow_replayed",
        "once, by any secret"
    );

    let after = before.another_with(finished()).await;
    let refused = after.open_session(&app, &[("x-inkeep-challenge-solution", &*second)]).await;
    assert_eq!(refused.json()["reason"], "pow_invalid");
    let new = format!("Bearer {token}");
    let headers = [("x-inkeep-challenge-solution", &*after.solution().await), ("authorization", &*new)];
    let renewed = after.open_session(&app, &headers).await.json();
    let renewed = renewed["token"].as_str().unwrap();
    assert_eq!(jwt_part(renewed, 1)["sub"], jwt_part(&token, 1)["sub"], "the first secret signed it");
    let headers = [("x-inkeep-challenge-solution", &*after.solution().await), ("authorization", &*bearer)];
    let stranger = after.open_session(&app, &headers).await.json();
    let stranger = stranger["token"].as_str().unwrap();
    assert_ne!(jwt_part(stranger, 1)["sub"], jwt_part(&token, 1)["sub"], "the old secret counts no more");
}

#[tokio::test]
async fn the_first_secret_signs_challenges() {
    let before = Server::new().await;
    let app = before.web_client().await;
    let during = before.another_with(rotated()).await;
    let solution = during.solution().await;
    let offered = before.open_session(&app, &[("x-inkeep-challenge-solution", &*solution)]).await;
    assert_eq!(offered.json()["reason"], "pow_invalid", "who does not know it yet refuses it");
    let after = before.another_with(finished()).await;
    assert_eq!(after.open_session(&app, &[("x-inkeep-challenge-solution", &*solution)]).await.status, 200);
}

#[tokio::test]
async fn an_expired_challenge_is_told_by_either_secret() {
    let before = Server::new().await;
    let app = before.web_client().await;
    let old = before.solution().await;
    let during = before.another_with(rotated()).await;
    let new = during.solution().await;
    during.clock.pass(std::time::Duration::from_secs(300));
    for solution in [old, new] {
        let answer = during.open_session(&app, &[("x-inkeep-challenge-solution", &*solution)]).await;
        assert_eq!(answer.json()["reason"], "pow_expired");
    }
}
