use super::canonical::{Object, write_object};
use super::{Parameters, RawParameters, Secrets};
use crate::binding::is_plain;
use crate::header::object;
use crate::{Binding, MAX_NUMBER, Refusal, Verified, double, hex, whole};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A solution, not verified yet; read by [`read_header`](crate::read_header).
#[derive(Clone, Debug)]
pub struct Payload {
    parameters: RawParameters,
    canonical: String,
    /// `None` if `data` has members of the binding's names that this crate does not write.
    binding: Option<Binding>,
    key_signature: Option<String>,
    nonce: String,
    signature: String,
    solution: Option<(u32, Vec<u8>)>,
}

#[derive(Deserialize)]
struct ChallengeMembers<'a> {
    #[serde(borrow)]
    parameters: &'a RawValue,
    signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SolutionMembers<'a> {
    #[serde(borrow)]
    counter: Option<&'a RawValue>,
    #[serde(borrow)]
    derived_key: Option<&'a RawValue>,
}

impl Payload {
    /// Reads the JSON of the payload's members `challenge` and `solution`.
    pub(crate) fn from_members(challenge: &str, solution: &str) -> Option<Self> {
        let ChallengeMembers { parameters, signature } = object(challenge.as_bytes())?;
        let parameters = Object::parse(parameters.get())?;
        let SolutionMembers { counter, derived_key } = object(solution.as_bytes())?;
        let (mut canonical, get) = (String::new(), |name| parameters.get(name));
        write_object(&mut canonical, &parameters);
        let solution = counter.and_then(whole_u32).zip(derived_key.and_then(lower_hex));
        let raw = RawParameters {
            algorithm: text(get("algorithm")),
            nonce: text(get("nonce")),
            salt: text(get("salt")),
            key_prefix: text(get("keyPrefix")),
            cost: number(get("cost")),
            memory_cost: number(get("memoryCost")),
            parallelism: number(get("parallelism")),
            key_length: number(get("keyLength")),
            expires_at: number(get("expiresAt")),
        };
        Some(Self {
            binding: binding(get("data")),
            canonical,
            key_signature: text(get("keySignature")),
            nonce: raw.nonce.clone()?,
            signature: signature.unwrap_or_default(),
            solution,
            parameters: raw,
        })
    }

    /// Whether [`Payload::verify`] may call `derive`, which takes as long as one candidate of the search.
    #[must_use]
    pub fn needs_derivation(&self, secrets: &Secrets<'_>) -> bool {
        self.key_signature.is_none() || secrets.key.is_none()
    }

    /// Verifies the solution at `now_seconds` (Unix time).
    ///
    /// `accepts` decides whether the verifier issues challenges of these parameters; it should compare the algorithm and
    /// the key's length, and cap `cost`, `memory_cost` and `parallelism`, since it is the last check before a key is
    /// derived. `derive` returns the key of the parameters and a counter, or `None` if it cannot. It is not called for a
    /// challenge with a key signature if the secrets have a key secret.
    ///
    /// The order: signature, expiry, parameters and `data`, `accepts`, types of the solution, key. Challenges without an
    /// expiry are invalid.
    ///
    /// # Errors
    ///
    /// [`Refusal::Expired`] only if this verifier's secret signed the challenge; else [`Refusal::Invalid`].
    pub fn verify(
        &self,
        secrets: &Secrets<'_>,
        now_seconds: u64,
        accepts: impl FnOnce(&Parameters) -> bool,
        derive: impl FnOnce(&Parameters, u32) -> Option<Vec<u8>>,
    ) -> Result<Verified, Refusal> {
        if !equal(&self.signature, &secrets.sign_parameters(&self.canonical)) {
            return Err(Refusal::Invalid);
        }
        let expires_at = self.parameters.expires_at.filter(|at| (0.0..=double(MAX_NUMBER)).contains(at));
        let expires_at = expires_at.ok_or(Refusal::Invalid)?;
        if expires_at <= double(now_seconds) {
            return Err(Refusal::Expired);
        }
        let parameters = Parameters::parse(&self.parameters).map_err(|_| Refusal::Invalid)?;
        let binding = self.binding.clone().ok_or(Refusal::Invalid)?;
        if !accepts(&parameters) {
            return Err(Refusal::Invalid);
        }
        let (counter, key) = self.solution.as_ref().ok_or(Refusal::Invalid)?;
        if key.len() != parameters.key_length as usize
            || !hex::encode(key).starts_with(&parameters.key_prefix)
        {
            return Err(Refusal::Invalid);
        }
        let is_right = match (&self.key_signature, secrets.key) {
            (Some(signature), Some(secret)) => equal(signature, &secrets.hmac.sign(secret, key)),
            _ => derive(&parameters, *counter).is_some_and(|derived| derived.ct_eq(key).into()),
        };
        if !is_right {
            return Err(Refusal::Invalid);
        }
        let expires_at_seconds = whole(ceil(expires_at));
        Ok(Verified { replay_key: self.replay_key(), expires_at_seconds, binding })
    }

    /// A digest of the nonce. Its input begins unlike any salt of version 1, whose key is a digest too.
    fn replay_key(&self) -> [u8; 32] {
        Sha256::new().chain_update("ALTCHA v2 nonce\n").chain_update(&self.nonce).finalize().into()
    }
}

fn equal(received: &str, computed: &str) -> bool {
    received.as_bytes().ct_eq(computed.as_bytes()).into()
}

/// The smallest whole number that is not below `number`; `f64::ceil` needs the standard library.
fn ceil(number: f64) -> f64 {
    let floor = double(whole(number));
    if floor < number { floor + 1.0 } else { floor }
}

/// Reads the members of `data` that bind a challenge. Other data bind nothing.
fn binding(data: Option<&str>) -> Option<Binding> {
    let Some(data) = data.and_then(Object::parse) else { return Some(Binding::NONE) };
    let value = |name| match data.get(name) {
        None | Some("null") => Some(None),
        value => text(value).filter(|value| is_plain(value)).map(Some),
    };
    Some(Binding { app: value("app")?, address: value("address")? })
}

/// A text of canonical JSON. Names and hex have no escapes; a text with escapes is no valid value of any parameter.
fn text(json: Option<&str>) -> Option<String> {
    json?.strip_prefix('"')?.strip_suffix('"').map(Into::into)
}

/// A number of canonical JSON; NaN for other values than numbers and `null`.
fn number(json: Option<&str>) -> Option<f64> {
    json.filter(|json| *json != "null").map(|json| json.parse().unwrap_or(f64::NAN))
}

fn whole_u32(json: &RawValue) -> Option<u32> {
    let number: f64 = json.get().parse().ok()?;
    let integer = u32::try_from(whole(number)).ok()?;
    (f64::from(integer) == number).then_some(integer)
}

fn lower_hex(json: &RawValue) -> Option<Vec<u8>> {
    let text = json.get().strip_prefix('"')?.strip_suffix('"')?;
    hex::decode_all(text).filter(|bytes| hex::encode(bytes) == text)
}
