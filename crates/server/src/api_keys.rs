use crate::Random;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;
use utoipa::ToSchema;

/// The prefix of every secret, so that a secret in a log or a repository is recognised.
const PREFIX: &str = "smk_";

/// The number of random characters of a secret, each one of 36: 248 bits.
const RANDOM_CHARACTERS: usize = 48;

/// The number of characters of the checksum at the end of a secret, each one of 36: one guess in two thousand million is
/// right.
const CHECKSUM_CHARACTERS: usize = 6;

/// The number of characters of a secret that may be shown.
const SHOWN_CHARACTERS: usize = PREFIX.len() + 6;

/// An API key: a server calls the run API with it, instead of a visitor's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// `key_` and at least 16 of a-z0-9.
    #[schema(example = "key_0123456789abcdefghij")]
    pub id: String,
    /// The tenant that owns the key.
    pub tenant_id: String,
    /// The project of the tenant.
    pub project_id: String,
    /// The name that operators see.
    pub name: String,
    /// The id of the agent that replies.
    pub agent_id: String,
    /// The first characters of the secret, which distinguish keys.
    #[schema(example = "smk_a1b2c3")]
    pub key_prefix: String,
    /// The time of the last use, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// The time when the key expires; `null`: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The time of the creation.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The secret of an API key: shown once; only its SHA-256 is stored.
///
/// A slow hash protects passwords, which people choose and others can guess. Nobody can guess 248 random bits, so
/// a fast hash is as secure, and adds no time to each request.
pub(crate) struct ApiKeySecret(String);

impl ApiKeySecret {
    /// Generates a secret.
    pub(crate) fn generate(random: &dyn Random) -> io::Result<Self> {
        let secret = format!("{PREFIX}{}", random.lowercase(RANDOM_CHARACTERS)?);
        let checksum = checksum(&secret);
        Ok(Self(secret + &checksum))
    }

    /// Returns whether a bearer token has the prefix of API keys. A session token does not.
    pub(crate) fn has_prefix(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// Parses a bearer token. Returns `None` if the checksum is wrong: such a secret was never generated, and is
    /// rejected without a database read.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (random, given) = token.split_at_checked(PREFIX.len() + RANDOM_CHARACTERS)?;
        (Self::has_prefix(token) && given == checksum(random)).then(|| Self(token.to_owned()))
    }

    /// Returns the hash that is stored. The secret cannot be computed from it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Returns the part that may be shown later.
    pub(crate) fn shown(&self) -> String {
        self.0.chars().take(SHOWN_CHARACTERS).collect()
    }

    /// Returns the secret itself, for the one response that contains it.
    pub(crate) fn reveal(self) -> String {
        self.0
    }
}

/// Returns the checksum: the first characters of the SHA-256 of a secret's prefix and random part, in base 36. It is not a
/// protection: only the database decides whether a secret is valid.
fn checksum(secret: &str) -> String {
    const CHARACTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(secret);
    let mut number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let characters = (0..CHECKSUM_CHARACTERS).map(|_| {
        let character = CHARACTERS[(number % 36) as usize];
        number /= 36;
        char::from(character)
    });
    characters.collect()
}

#[cfg(test)]
mod tests {
    use super::ApiKeySecret;
    use crate::SystemRandom;

    #[test]
    fn a_generated_secret_is_parsed_and_a_changed_one_is_not() {
        let secret = ApiKeySecret::generate(&SystemRandom).unwrap().reveal();
        assert_eq!(ApiKeySecret::parse(&secret).unwrap().reveal(), secret);
        for index in 0..secret.len() {
            let mut changed = secret.clone().into_bytes();
            changed[index] = if changed[index] == b'q' { b'r' } else { b'q' };
            assert!(ApiKeySecret::parse(&String::from_utf8(changed).unwrap()).is_none(), "{index}");
        }
        assert!(ApiKeySecret::parse(&format!("{secret}0")).is_none());
        assert!(ApiKeySecret::parse("smk_é").is_none());
    }
}
