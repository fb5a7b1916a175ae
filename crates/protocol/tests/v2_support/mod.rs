//! Version 2 by reference implementations, and the shared vectors.
#![allow(dead_code, unreachable_pub, reason = "each test file includes it whole and uses a part")]

use base64ct::{Base64, Encoding};
use saltmine_protocol::v2::{HmacAlgorithm, Parameters, RawParameters, Secrets};
use saltmine_protocol::{Payload, Refusal, Verified, read_header};
use saltmine_solver::kdf::{self, CounterMode};
use serde_json::Value;

pub const SECRETS: Secrets<'static> = Secrets {
    signature: b"a signature secret of 32 characters",
    key: Some(b"another secret, for the derived keys"),
    hmac: HmacAlgorithm::Sha256,
};

/// The document with the shared vectors.
pub fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/altcha-v2.json");
    std::fs::read_to_string(path).unwrap()
}

pub fn derive(parameters: &Parameters, counter: u32) -> Vec<u8> {
    derive_with(parameters, CounterMode::Uint32, counter)
}

pub fn derive_with(parameters: &Parameters, counter_mode: CounterMode, counter: u32) -> Vec<u8> {
    let parameters = kdf::Parameters {
        algorithm: kdf::Algorithm::from_name(parameters.algorithm.name()).unwrap(),
        nonce: &parameters.nonce,
        salt: &parameters.salt,
        cost: parameters.cost,
        memory_cost: parameters.memory_cost,
        parallelism: parameters.parallelism,
        key_length: parameters.key_length,
        counter_mode,
    };
    kdf::derive(&parameters, counter.into()).unwrap()
}

pub fn raw_parameters(parameters: &Value) -> RawParameters {
    let text = |name: &str| parameters[name].as_str().map(Into::into);
    let number = |name: &str| match &parameters[name] {
        Value::Null => None,
        other => Some(other.as_f64().unwrap_or(f64::NAN)),
    };
    RawParameters {
        algorithm: text("algorithm"),
        nonce: text("nonce"),
        salt: text("salt"),
        key_prefix: text("keyPrefix"),
        cost: number("cost"),
        memory_cost: number("memoryCost"),
        parallelism: number("parallelism"),
        key_length: number("keyLength"),
        expires_at: number("expiresAt"),
    }
}

/// A verifier derives no key that takes it minutes.
pub fn accepts(parameters: &Parameters) -> bool {
    parameters.cost <= 10_000
}

/// Verifies a solution by the reference key derivation.
pub fn verify(secrets: &Secrets<'_>, json: &str, now_seconds: u64) -> Result<Verified, Refusal> {
    match read_header(&Base64::encode_string(json.as_bytes()))? {
        Payload::V1(_) => Err(Refusal::Invalid),
        Payload::V2(payload) => payload
            .verify(secrets, now_seconds, accepts, |parameters, counter| Some(derive(parameters, counter))),
    }
}
