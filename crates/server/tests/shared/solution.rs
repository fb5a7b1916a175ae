//! Solutions, found as naively as can be.

use base64ct::{Base64, Encoding};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A solution whose parts can be spoiled. `number` is JSON text.
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

/// Tries every number, as naively as can be.
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

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
