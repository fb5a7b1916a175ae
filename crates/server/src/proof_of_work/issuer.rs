use super::pool::Pool;
use super::queue::Requester;
use super::{KeyDerivation, ProofOfWork, V2Keys};
use crate::limits::scaled;
use crate::metrics::PoolMetrics;
use crate::{Error, Random};
use saltmine_protocol::v2::Payload;
use saltmine_protocol::{Binding, Refusal, Verified};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Issues and verifies challenges of version 2.
pub(crate) struct Issuer {
    keys: V2Keys,
    second_keys: Option<V2Keys>,
    key_derivation: KeyDerivation,
    ttl_seconds: u64,
    pool: Pool,
}

impl Issuer {
    pub(crate) fn new(settings: &ProofOfWork, random: Arc<dyn Random>, metrics: PoolMetrics) -> Self {
        let key_derivation = settings.key_derivation.clone();
        let (shared, counters) =
            (key_derivation.settings(settings.ttl_seconds), key_derivation.counters.clone());
        Self {
            keys: V2Keys::derive(&settings.secret),
            second_keys: settings.second_secret.as_ref().map(V2Keys::derive),
            ttl_seconds: settings.ttl_seconds,
            pool: Pool::new(shared, counters, random, metrics),
            key_derivation,
        }
    }

    /// Issues a challenge, as JSON, whose counters are `factor` times the configured ones, as
    /// far as a visitor can find them. It is signed last, so
    /// that a challenge made in advance is valid for as long as any other.
    ///
    /// # Errors
    ///
    /// [`Error::ChallengesBusy`], [`Error::Random`]
    pub(crate) async fn issue(
        &self,
        requester: Requester<'_>,
        binding: &Binding,
        factor: f64,
        now_seconds: impl Fn() -> u64,
    ) -> Result<String, Error> {
        let counters = &self.key_derivation.counters;
        let factor = factor.min(self.key_derivation.highest_factor());
        let prepared = self.pool.take(requester, &scaled_counters(counters, factor)).await?;
        let expires_at = now_seconds().saturating_add(self.ttl_seconds);
        Ok(prepared.sign(&self.keys.secrets(), expires_at, binding).to_json())
    }

    /// Verifies a solution by two HMACs: no key is derived, whatever the client sends.
    pub(crate) fn verify(&self, payload: &Payload, now_seconds: u64) -> Result<Verified, Refusal> {
        let by = |keys: &V2Keys| {
            let settings = self.key_derivation.settings(self.ttl_seconds);
            payload.verify(
                &keys.secrets(),
                now_seconds,
                |parameters| {
                    (parameters.algorithm, parameters.key_length) == (settings.algorithm, settings.key_length)
                },
                // All challenges of this server have a key signature.
                |_, _| None,
            )
        };
        match (by(&self.keys), &self.second_keys) {
            (Err(Refusal::Invalid), Some(second)) => by(second),
            (result, _) => result,
        }
    }
}

/// Returns the range of a challenge's counter at a multiple of the configured work.
fn scaled_counters(counters: &RangeInclusive<u32>, factor: f64) -> RangeInclusive<u32> {
    let scaled = |counter: &u32| {
        let counter = scaled((*counter).into(), factor, u32::MAX.into());
        u32::try_from(counter).unwrap_or(u32::MAX)
    };
    scaled(counters.start())..=scaled(counters.end())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_counters_follow_the_factor() {
        assert_eq!(super::scaled_counters(&(700..=1300), 1.0), 700..=1300);
        assert_eq!(super::scaled_counters(&(700..=1300), 2.5), 1750..=3250);
        assert_eq!(super::scaled_counters(&(1..=u32::MAX), 2.0), 2..=u32::MAX);
    }

    use super::Issuer;
    use crate::metrics::PoolMetrics;
    use crate::proof_of_work::V2Keys;
    use crate::{ProofOfWork, SystemRandom};
    use base64ct::{Base64, Encoding};
    use saltmine_protocol::{Payload, read_header};
    use serde::Deserialize;
    use serde_json::{Value, json};
    use std::sync::Arc;

    #[derive(Deserialize)]
    struct Document {
        secrets: Value,
        verification: Vec<Value>,
    }

    /// The payloads that `altcha-lib` created and verified, with its secrets. This server accepts those that it could have
    /// issued itself: PBKDF2/SHA-256 with 32 bytes, with a key signature and an expiry.
    #[test]
    fn the_verification_cases_of_the_library_are_judged_as_it_judges_them() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/altcha-v2.json");
        let document: Document = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let secret = |name: &str| document.secrets[name].as_str().unwrap().to_owned();
        let settings = ProofOfWork::new("a secret".into());
        let mut issuer = Issuer::new(&settings, Arc::new(SystemRandom), PoolMetrics::default());
        issuer.keys = V2Keys::of(secret("signature"), secret("key"));
        let mut counts = [0, 0];
        let cases = document.verification;
        for case in &cases {
            let json = json!({ "challenge": case["challenge"], "solution": case["solution"] });
            let verified = match read_header(&Base64::encode_string(json.to_string().as_bytes())) {
                Ok(Payload::V2(payload)) => issuer.verify(&payload, 1_790_000_000).is_ok(),
                _ => false,
            };
            let parameters = &case["challenge"]["parameters"];
            let is_of_this_kind = parameters["algorithm"] == "PBKDF2/SHA-256"
                && parameters["keyLength"] == 32
                && parameters["keySignature"].is_string()
                && parameters["expiresAt"].is_number();
            let expected = case["result"]["verified"] == true && is_of_this_kind;
            assert_eq!(verified, expected, "{}", case["name"]);
            counts[usize::from(expected)] += 1;
        }
        assert_eq!(cases.len(), 17);
        assert!(counts[1] >= 2, "{counts:?}");
    }
}
