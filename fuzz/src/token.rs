//! Session tokens: only what was signed opens anything. Input: a letter, and what it stands for.
//!
//! | letter | the rest |
//! | --- | --- |
//! | `t` | a token |
//! | `m` | changes to a real token |
//! | `s` | a token's header and claims, parted by a line feed: signed with the right secret, whatever they are |
//! | `c` | the texts of claims, parted by line feeds, which the server signs itself |

use crate::server::token::{Claims, Tokens};
use crate::{Secret, naive};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;
use std::sync::LazyLock;

const SECRETS: [&str; 2] = ["a first secret, of 32 characters", "a second one, which is good too."];
const NOW_SECONDS: u64 = 1_790_000_000;

static TOKENS: LazyLock<Tokens> =
    LazyLock::new(|| Tokens::new(&Secret::from(SECRETS[0]), Some(&Secret::from(SECRETS[1])), 3_600));
static REAL: LazyLock<String> = LazyLock::new(|| TOKENS.sign(&claims("anon_1", NOW_SECONDS)));

/// Checks one case.
pub fn run(data: &[u8]) {
    let Some((letter, rest)) = data.split_first() else { return };
    match letter % 4 {
        0 => drop(std::str::from_utf8(rest).map(judge)),
        1 => change(rest),
        3 => sign(rest),
        _ => round_trip(rest),
    }
}

fn claims(sub: &str, iat: u64) -> Claims {
    Claims {
        iss: "inkeep".into(),
        sub: sub.into(),
        tid: "acme".into(),
        pid: "docs".into(),
        app: "app_0123456789abcdef".into(),
        r#type: "anonymous".into(),
        iat,
        exp: iat + 3_600,
    }
}

/// Checks that an accepted token is signed, and has the required claims.
fn judge(token: &str) {
    let Some(accepted) = TOKENS.verify(token, NOW_SECONDS) else { return };
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let message = format!("{header}.{payload}");
    let is_signed = |secret: &&str| {
        signature == BASE64_URL_SAFE_NO_PAD.encode(naive::hmac(secret.as_bytes(), message.as_bytes()))
    };
    assert!(SECRETS.iter().any(is_signed), "{token}");
    let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64");
    let algorithm =
        naive::members(&decoded(header), &["alg"]).map(|members| naive::string(members.get("alg")));
    assert_eq!(algorithm, Some(Some("HS256".into())), "{token}");
    // Members that are not ours are not looked into: they need not even be UTF-8.
    let accepted_json = serde_json::to_value(&accepted).expect("JSON");
    let ours = accepted_json.as_object().expect("an object");
    let names: Vec<_> = ours.keys().map(String::as_str).collect();
    let payload = decoded(payload);
    // The library reads an array of the claims too, which only who has the secret could make.
    if !payload.trim_ascii_start().starts_with(b"[") {
        let said = naive::members(&payload, &names).expect("the claims are an object, each there once");
        for (name, value) in ours {
            assert_eq!(serde_json::from_str::<Value>(said[name].get()).ok().as_ref(), Some(value), "{token}");
        }
    }
    assert_eq!((&*accepted.iss, &*accepted.r#type), ("inkeep", "anonymous"), "{token}");
    assert!(NOW_SECONDS < accepted.exp, "{token}");
    assert_eq!(TOKENS.verify(token, accepted.exp), None, "{token}");
}

/// Any change to a token makes it none.
fn change(changes: &[u8]) {
    let token = naive::changed(REAL.clone().into_bytes(), changes);
    let Ok(token) = String::from_utf8(token) else { return };
    judge(&token);
    assert_eq!(TOKENS.verify(&token, NOW_SECONDS).is_some(), token == *REAL, "{token}");
}

/// A token that only who has the secret can make: what it says is judged all the same.
fn sign(parts: &[u8]) {
    let at = parts.iter().position(|byte| *byte == b'\n').unwrap_or(parts.len());
    let (header, payload) = parts.split_at(at);
    let [header, payload] =
        [header, payload.get(1..).unwrap_or_default()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header}.{payload}");
    for secret in SECRETS {
        let signature = naive::hmac(secret.as_bytes(), message.as_bytes());
        judge(&format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)));
    }
}

/// Checks that the server accepts the tokens that it signs, unless one is not a visitor's or has expired.
fn round_trip(texts: &[u8]) {
    let Ok(texts) = std::str::from_utf8(texts) else { return };
    let mut lines = texts.split('\n');
    let mut line = |otherwise: &str| lines.next().unwrap_or(otherwise).to_owned();
    let (sub, iat) = (line("anon_1"), line("").parse().unwrap_or(NOW_SECONDS).min(u64::MAX - 3_600));
    let claims = Claims {
        tid: line("acme"),
        app: line("app"),
        iss: line("inkeep"),
        r#type: line("anonymous"),
        ..claims(&sub, iat)
    };
    let token = TOKENS.sign(&claims);
    let good = claims.iss == "inkeep" && claims.r#type == "anonymous" && NOW_SECONDS < claims.exp;
    assert_eq!(TOKENS.verify(&token, NOW_SECONDS), good.then_some(claims));
    judge(&token);
}
