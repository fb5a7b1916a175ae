//! The options of the proof of work.

use super::{Arguments, ConfigError, SECRET_CHARACTERS, invalid, number, second, secret};
use crate::proof_of_work::{MAX_COUNTER, MAX_HASH_COST, MAX_MEMORY_BYTES, MAX_PASSES, MAX_WORK};
use crate::{KeyAlgorithm, KeyDerivation, PowBinding, PowScope, PowVersions, ProofOfWork};

impl Arguments {
    /// Checks every value, even if proof of work is off, so that turning it on later reveals no old mistake.
    pub(super) fn proof_of_work(&self) -> Result<Option<ProofOfWork>, ConfigError> {
        let max_number =
            number("INKEEP_POW_DIFFICULTY", &self.pow_difficulty, 1, saltmine_protocol::MAX_NUMBER)?;
        let ttl_seconds =
            number("INKEEP_POW_CHALLENGE_TTL_SECONDS", &self.pow_challenge_ttl_seconds, 1, 86_400)?;
        let second_secret = second("INKEEP_POW_HMAC_SECRET_SECOND", &self.pow_hmac_secret_second)?;
        let scope = PowScope::from_name(&self.pow_scope)
            .ok_or_else(|| invalid("SALTMINE_POW_SCOPE", &self.pow_scope, "session or request"))?;
        let versions = PowVersions::from_name(&self.pow_version)
            .ok_or_else(|| invalid("SALTMINE_POW_VERSION", &self.pow_version, "1, 2 or 2-only"))?;
        let binding = PowBinding::from_name(&self.pow_binding).ok_or_else(|| {
            invalid("SALTMINE_POW_BINDING", &self.pow_binding, "off, app or app-and-address")
        })?;
        let is_binding_required = match &*self.pow_binding_required {
            "true" => true,
            "false" => false,
            other => return Err(invalid("SALTMINE_POW_BINDING_REQUIRED", other, "true or false")),
        };
        if is_binding_required && binding == PowBinding::Off {
            let must = "false if SALTMINE_POW_BINDING is off, since no challenge would be accepted";
            return Err(invalid("SALTMINE_POW_BINDING_REQUIRED", "true", must));
        }
        let key_derivation = self.key_derivation()?;
        let Some(text) = self.pow_hmac_secret.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let otherwise = ", or leave it unset to turn proof of work off";
        let secret = secret("INKEEP_POW_HMAC_SECRET", text, SECRET_CHARACTERS, otherwise)?;
        Ok(Some(ProofOfWork {
            second_secret,
            scope,
            versions,
            max_number,
            key_derivation,
            ttl_seconds,
            binding,
            is_binding_required,
            ..ProofOfWork::new(secret)
        }))
    }

    fn key_derivation(&self) -> Result<KeyDerivation, ConfigError> {
        const COST: &str = "SALTMINE_POW_COST";
        const MEMORY_COST: &str = "SALTMINE_POW_MEMORY_COST";
        let name = &*self.pow_algorithm;
        let algorithm = KeyAlgorithm::from_name(name);
        let algorithm = algorithm.filter(|algorithm| KeyDerivation::ALGORITHMS.contains(algorithm));
        let must = || {
            KeyDerivation::ALGORITHMS.map(KeyAlgorithm::name).join(", ")
                + " (these are what widgets can solve)"
        };
        let algorithm = algorithm.ok_or_else(|| invalid("SALTMINE_POW_ALGORITHM", name, &must()))?;
        let KeyDerivation { mut cost, mut memory_cost, mut counters, .. } = KeyDerivation::of(algorithm);

        let is_set = |text: &&String| !text.is_empty();
        if let Some(text) = self.pow_cost.as_ref().filter(is_set) {
            let (min, max) = match algorithm {
                KeyAlgorithm::Argon2id => (1, MAX_PASSES),
                KeyAlgorithm::Scrypt => (4, 1 << 20),
                _ => (1, MAX_HASH_COST),
            };
            cost = number(COST, text, min, max.into())? as u32;
            if algorithm == KeyAlgorithm::Scrypt && !cost.is_power_of_two() {
                return Err(invalid(COST, text, "a power of two for SCRYPT"));
            }
        }
        if let Some(text) = self.pow_memory_cost.as_ref().filter(is_set) {
            if !algorithm.is_memory_hard() {
                return Err(invalid(MEMORY_COST, text, &format!("unset for {name}, which uses no memory")));
            }
            let min = if algorithm == KeyAlgorithm::Argon2id { 8 } else { 1 };
            memory_cost = number(MEMORY_COST, text, min, 1 << 20)? as u32;
        }
        let counter = |name, text: &Option<String>, default: u32| match text.as_ref().filter(is_set) {
            Some(text) => number(name, text, 0, MAX_COUNTER.into()).map(|number| number as u32),
            None => Ok(default),
        };
        let first = counter("SALTMINE_POW_COUNTER_MIN", &self.pow_counter_min, *counters.start())?;
        let last = counter("SALTMINE_POW_COUNTER_MAX", &self.pow_counter_max, *counters.end())?;
        if first > last {
            let must = format!("at most SALTMINE_POW_COUNTER_MAX, which is {last}: set both");
            return Err(invalid("SALTMINE_POW_COUNTER_MIN", &first.to_string(), &must));
        }
        counters = first..=last;

        let derivation = KeyDerivation { algorithm, cost, memory_cost, counters };
        if derivation.memory_bytes() > MAX_MEMORY_BYTES {
            let must = format!(
                "smaller: a key would take {} MiB of memory, 256 at most",
                derivation.memory_bytes() >> 20
            );
            return Err(invalid(MEMORY_COST, &memory_cost.to_string(), &must));
        }
        if derivation.work() > MAX_WORK {
            let must =
                format!("smaller: with SALTMINE_POW_COST {cost} a challenge would take a visitor minutes");
            return Err(invalid("SALTMINE_POW_COUNTER_MAX", &last.to_string(), &must));
        }
        Ok(derivation)
    }
}
