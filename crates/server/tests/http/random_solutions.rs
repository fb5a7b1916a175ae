//! Ten thousand solution headers with random content or random changes: none is accepted, and none stops the server.

use crate::support::{PAGE, Server, Solution, request, solve};
use axum::http::{HeaderValue, Method};
use base64ct::{Base64, Encoding};
use std::collections::BTreeMap;

const COUNT: usize = 10_000;

/// A small generator of numbers, the same at every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    fn bytes(&mut self, longest: usize, from: &[u8]) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| from[self.below(from.len())]).collect()
    }
}

/// Returns the bytes that a header may contain.
fn header_bytes() -> Vec<u8> {
    (0x20..=0xff).filter(|byte| *byte != 0x7f).collect()
}

/// Changes the signed data in one of many ways.
fn spoil(dice: &mut Dice, good: &Solution) -> Solution {
    let mut solution = good.clone();
    let number: u64 = good.number.parse().unwrap();
    match dice.below(12) {
        0 => solution.number = (number + 1 + dice.below(1000) as u64).to_string(),
        1 => solution.number = format!("\"{number}\""),
        2 => solution.number = format!("{number}{}", dice.pick(&[".0", "e0", "E+0", ".5", "0", " 0"])),
        3 => solution.number = format!("{}{number}", dice.pick(&["0", "+", "-", "00", "0x", "."])),
        4 => {
            solution.number =
                dice.pick(&["null", "[]", "{}", "true", "NaN", "1e999", "-0", "9007199254740992"]).into();
        }
        5 => {
            // CVE-2025-68113, in both directions.
            let text = format!("{}{}", solution.salt, solution.number);
            let cut = solution.salt.len();
            let other = (cut + 1 + dice.below(text.len() - 1)) % text.len();
            (solution.salt, solution.number) = (text[..other].to_owned(), text[other..].to_owned());
        }
        6 => {
            solution.salt =
                solution.salt.replace("expires=1", dice.pick(&["expires=2", "expires=9", "expires=", "x=1"]));
        }
        7 => solution.salt += dice.pick(&["&", "x", "expires=9999999999&", " ", "\\n", "\\u0000"]),
        8 => solution.algorithm = dice.pick(&["SHA-1", "SHA-512", "sha256", "", "none", "MD5"]).into(),
        9 => flip(dice, &mut solution.challenge),
        10 => flip(dice, &mut solution.signature),
        _ => {
            let cut = dice.below(solution.signature.len());
            solution.signature.truncate(cut);
        }
    }
    solution
}

/// Changes one hex digit.
fn flip(dice: &mut Dice, hex: &mut String) {
    let at = dice.below(hex.len());
    let digit = u8::from_str_radix(&hex[at..=at], 16).unwrap();
    let other = (digit as usize + 1 + dice.below(15)) % 16;
    hex.replace_range(at..=at, &format!("{other:x}"));
}

fn header(dice: &mut Dice, good: &Solution) -> Vec<u8> {
    let plain = header_bytes();
    match dice.below(5) {
        0 => dice.bytes(600, &plain),
        1 => Base64::encode_string(&dice.bytes(600, &plain)).into_bytes(),
        2 => {
            let json = br#"{}[]",:0123456789eE+-.truefalsenull \algorithm challenge salt signature"#;
            Base64::encode_string(&dice.bytes(400, json)).into_bytes()
        }
        3 => {
            // Incomplete JSON.
            let json = good.json();
            Base64::encode_string(&json.as_bytes()[..dice.below(json.len())]).into_bytes()
        }
        _ => spoil(dice, good).header().into_bytes(),
    }
}

#[tokio::test]
async fn of_ten_thousand_none_is_accepted_and_none_is_a_failure() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("/run/auth/apps/{app}/anonymous-session");
    let good = solve(&server.get("/run/auth/pow/challenge").await.json());
    let mut dice = Dice(0x5eed_5a17_0000_0001);
    let mut outcomes = BTreeMap::new();
    for _ in 0..COUNT {
        let value = header(&mut dice, &good);
        let mut request = request(Method::POST, &path, &[("origin", PAGE)], "");
        request.headers_mut().insert("x-inkeep-challenge-solution", HeaderValue::from_bytes(&value).unwrap());
        let answer = server.send(request).await;
        let reason = answer.json()["reason"].as_str().unwrap_or("accepted").to_owned();
        let shown = String::from_utf8_lossy(&value).into_owned();
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        *outcomes.entry(reason).or_insert(0) += 1;
    }
    let invalid = outcomes["pow_invalid"];
    assert!(
        invalid > COUNT * 9 / 10 && outcomes.keys().all(|reason| reason.starts_with("pow_")),
        "{outcomes:?}"
    );
    // None of the changed solutions has spent its challenge.
    let answer = server.open_session(&app, &[("x-inkeep-challenge-solution", &good.header())]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
