//! A reference implementation of solutions.

use base64ct::{Base64, Encoding};
use saltmine_solver::kdf::{Algorithm, CounterMode, Parameters, derive};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A solution whose parts a test can change. `number` is JSON text.
#[derive(Clone, Debug)]
pub struct Solution {
    pub algorithm: String,
    pub challenge: String,
    pub number: String,
    pub salt: String,
    pub signature: String,
}

impl Solution {
    pub fn json(&self) -> String {
        let Self { algorithm, challenge, number, salt, signature } = self;
        format!(
            r#"{{"algorithm":"{algorithm}","challenge":"{challenge}","number":{number},"salt":"{salt}","signature":"{signature}"}}"#
        )
    }

    pub fn header(&self) -> String {
        Base64::encode_string(self.json().as_bytes())
    }
}

/// Tries every number in order.
pub fn solve(challenge: &Value) -> Solution {
    let text = |member: &str| challenge[member].as_str().unwrap().to_owned();
    let (salt, digest) = (text("salt"), text("challenge"));
    let number = (0..=challenge["maxnumber"].as_u64().unwrap())
        .find(|number| hex(&Sha256::digest(format!("{salt}{number}"))) == digest)
        .expect("a challenge has a solution");
    Solution {
        algorithm: text("algorithm"),
        challenge: digest,
        number: number.to_string(),
        salt,
        signature: text("signature"),
    }
}

/// The payload that solves a challenge of version 2, as JSON whose parts a test can change: every counter is tried.
pub fn solve_v2(challenge: &Value) -> Value {
    let parameters = &challenge["parameters"];
    let bytes = |member: &str| unhex(parameters[member].as_str().unwrap());
    let number = |member: &str| u32::try_from(parameters[member].as_u64().unwrap_or_default()).unwrap();
    let (nonce, salt) = (bytes("nonce"), bytes("salt"));
    let derivation = Parameters {
        algorithm: Algorithm::from_name(parameters["algorithm"].as_str().unwrap()).unwrap(),
        nonce: &nonce,
        salt: &salt,
        cost: number("cost"),
        memory_cost: number("memoryCost"),
        parallelism: number("parallelism").max(1),
        key_length: number("keyLength"),
        counter_mode: CounterMode::Uint32,
    };
    let prefix = parameters["keyPrefix"].as_str().unwrap();
    let key = |counter: u32| (counter, hex(&derive(&derivation, counter.into()).unwrap()));
    let (counter, key) = (0..=100_000).map(key).find(|(_, key)| key.starts_with(prefix)).unwrap();
    json!({ "challenge": challenge, "solution": { "counter": counter, "derivedKey": key, "time": 1.5 } })
}

/// The value of the solution header, as base64 of the payload.
pub fn bare(payload: &Value) -> String {
    Base64::encode_string(payload.to_string().as_bytes())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
