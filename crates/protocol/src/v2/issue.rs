use super::{Algorithm, Parameters, ParametersError, Secrets};
use crate::{Binding, JsonObject, double, hex, random};
use alloc::string::String;
use alloc::vec;
use core::ops::RangeInclusive;

/// The parameters that all challenges of an issuer share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The key derivation.
    pub algorithm: Algorithm,
    /// Iterations; for scrypt N, for Argon2id the number of passes.
    pub cost: u32,
    /// The block size r of scrypt, the KiB of Argon2id; ignored by the other algorithms.
    pub memory_cost: u32,
    /// The parallelism of scrypt and Argon2id; ignored by the other algorithms.
    pub parallelism: u32,
    /// The length of the key, in bytes. Only 32 works with every client.
    pub key_length: u32,
    /// The lifetime of a challenge, in seconds.
    pub ttl_seconds: u64,
}

impl Settings {
    /// Checks that the key derivation accepts the settings.
    ///
    /// # Errors
    ///
    /// The first parameter that has a value that is not allowed.
    pub fn check(&self) -> Result<(), ParametersError> {
        if self.algorithm.max_key_length().is_some_and(|longest| self.key_length > longest) {
            return Err(ParametersError::Malformed("keyLength"));
        }
        self.parameters([0; 16], [0; 16]).check()
    }

    fn parameters(&self, nonce: [u8; 16], salt: [u8; 16]) -> Parameters {
        let is_memory_hard = self.algorithm.is_memory_hard();
        Parameters {
            algorithm: self.algorithm,
            nonce: nonce.into(),
            salt: salt.into(),
            cost: self.cost,
            memory_cost: if is_memory_hard { self.memory_cost } else { 0 },
            parallelism: if is_memory_hard { self.parallelism } else { 1 },
            key_length: self.key_length,
            key_prefix: String::new(),
            expires_at: None,
        }
    }

    fn draw<E>(&self, random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Parameters, E> {
        let (mut nonce, mut salt) = ([0; 16], [0; 16]);
        random(&mut nonce)?;
        random(&mut salt)?;
        Ok(self.parameters(nonce, salt))
    }
}

/// A deterministic challenge whose key is derived already, and that is not signed yet: it has no expiry and is bound to
/// nothing. An issuer can prepare challenges ahead and respond to each request at once.
#[derive(Clone)]
pub struct Prepared {
    parameters: Parameters,
    key: vec::Vec<u8>,
}

impl Prepared {
    /// Generates a counter of `counters`, a nonce and a salt, and derives the key: see [`issue_deterministic`].
    ///
    /// # Errors
    ///
    /// The error of `derive` or `random`.
    ///
    /// # Panics
    ///
    /// If `counters` is empty, or the key has fewer than two bytes.
    pub fn new<E>(
        settings: &Settings,
        counters: &RangeInclusive<u32>,
        random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
        derive: impl FnOnce(&Parameters, u32) -> Result<vec::Vec<u8>, E>,
    ) -> Result<Self, E> {
        assert!(!counters.is_empty(), "there is no counter in {counters:?}");
        let mut parameters = settings.draw(random)?;
        let count = u64::from(counters.end() - counters.start()) + 1;
        let offset = u32::try_from(random::below(count, random)?).unwrap_or_default();
        let key = derive(&parameters, counters.start() + offset)?;
        assert!(key.len() >= 2, "half of a key must be a prefix");
        parameters.key_prefix = hex::encode(&key[..key.len() / 2]);
        Ok(Self { parameters, key })
    }

    /// Signs the challenge, with its expiry (`expires_at_seconds`, Unix time) and the values that it is bound to.
    ///
    /// # Panics
    ///
    /// If a value of the binding is empty or has characters other than ASCII letters, digits and `_-.:/`.
    #[must_use]
    pub fn sign(self, secrets: &Secrets<'_>, expires_at_seconds: u64, binding: &Binding) -> Issued {
        let Self { mut parameters, key } = self;
        parameters.expires_at = Some(double(expires_at_seconds));
        let key_signature = secrets.key.map(|secret| secrets.hmac.sign(secret, &key));
        Issued::sign(secrets, parameters, key_signature.as_deref(), binding)
    }
}

// The key is the solution.
impl core::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Prepared").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

/// A signed challenge.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The parameters of the client's search.
    pub parameters: Parameters,
    /// The challenge's member `parameters`, in canonical JSON.
    pub parameters_json: String,
    /// The challenge's member `signature`.
    pub signature: String,
}

impl Issued {
    /// Writes the challenge: `{"parameters":…,"signature":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        JsonObject::new().raw("parameters", &self.parameters_json).text("signature", &self.signature).finish()
    }

    fn sign(
        secrets: &Secrets<'_>,
        parameters: Parameters,
        key_signature: Option<&str>,
        binding: &Binding,
    ) -> Self {
        let parameters_json = to_canonical_json(&parameters, key_signature, binding);
        Self { signature: secrets.sign_parameters(&parameters_json), parameters_json, parameters }
    }
}

/// Issues a challenge whose only solution is a random counter of `counters`: a client derives `counter + 1` keys.
///
/// `derive` returns the key of the parameters and a counter. With [`Secrets::key`] the verification of a solution derives
/// no key. `random` fills a buffer from a cryptographic generator.
///
/// # Errors
///
/// The error of `derive` or `random`.
///
/// # Panics
///
/// If `counters` is empty, or the key has fewer than two bytes.
pub fn issue_deterministic<E>(
    secrets: &Secrets<'_>,
    settings: &Settings,
    counters: &RangeInclusive<u32>,
    now_seconds: u64,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
    derive: impl FnOnce(&Parameters, u32) -> Result<vec::Vec<u8>, E>,
) -> Result<Issued, E> {
    let prepared = Prepared::new(settings, counters, random, derive)?;
    Ok(prepared.sign(secrets, now_seconds.saturating_add(settings.ttl_seconds), &Binding::NONE))
}

/// Issues a challenge that any counter solves whose key begins with the hex digits `key_prefix`: a client derives
/// 16^digits keys on average, and the verification derives one.
///
/// # Errors
///
/// The error of `random`.
pub fn issue_probabilistic<E>(
    secrets: &Secrets<'_>,
    settings: &Settings,
    key_prefix: &str,
    now_seconds: u64,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Issued, E> {
    let mut parameters = settings.draw(random)?;
    parameters.key_prefix = key_prefix.to_ascii_lowercase();
    parameters.expires_at = Some(double(now_seconds.saturating_add(settings.ttl_seconds)));
    Ok(Issued::sign(secrets, parameters, None, &Binding::NONE))
}

/// Writes the members in the order of their names, all in ASCII and with whole numbers: canonical as it is.
fn to_canonical_json(parameters: &Parameters, key_signature: Option<&str>, binding: &Binding) -> String {
    let mut json = JsonObject::new()
        .text("algorithm", parameters.algorithm.name())
        .number("cost", u64::from(parameters.cost));
    let mut bound = binding.members().peekable();
    if bound.peek().is_some() {
        let data = bound.fold(JsonObject::new(), |data, (name, value)| data.text(name, value));
        json = json.raw("data", &data.finish());
    }
    if let Some(expires_at) = parameters.expires_at {
        json = json.number("expiresAt", crate::whole(expires_at));
    }
    json =
        json.number("keyLength", u64::from(parameters.key_length)).text("keyPrefix", &parameters.key_prefix);
    if let Some(key_signature) = key_signature {
        json = json.text("keySignature", key_signature);
    }
    if parameters.algorithm.is_memory_hard() {
        json = json.number("memoryCost", u64::from(parameters.memory_cost));
    }
    json = json.text("nonce", &hex::encode(&parameters.nonce));
    if parameters.algorithm.is_memory_hard() {
        json = json.number("parallelism", u64::from(parameters.parallelism));
    }
    json.text("salt", &hex::encode(&parameters.salt)).finish()
}
