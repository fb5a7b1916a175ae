//! Reads and checks the public keys in a request body. An error names the invalid member.

use crate::{Error, InvalidKey, UserKey};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

/// The maximum number of keys of an app: enough for every backend to replace its own.
pub(super) const MAX_KEYS: usize = 20;

/// A public key for an app.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewUserKey)]
pub(super) struct UserKeyInput {
    /// The `kid` in the header of the tokens, 1 to 255 visible ASCII characters.
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    kid: String,
    /// The key: a PEM of a SubjectPublicKeyInfo, `-----BEGIN PUBLIC KEY-----`.
    #[schema(max_length = 8000)]
    public_key: String,
    /// The algorithm of the signatures: RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA.
    #[schema(value_type = crate::UserKeyAlgorithm)]
    algorithm: String,
    /// Ignored, so that a key that was read can be sent back.
    #[serde(default)]
    #[schema(ignore)]
    #[allow(dead_code, reason = "accepted and ignored")]
    added_at: Option<IgnoredAny>,
}

impl UserKeyInput {
    pub(super) fn check(&self, now: Timestamp) -> Result<UserKey, InvalidKey> {
        UserKey::new(&self.kid, &self.public_key, &self.algorithm, now)
    }

    fn is(&self, key: &UserKey) -> bool {
        self.kid == key.kid
            && self.public_key.trim() == key.public_key
            && self.algorithm == key.algorithm.name()
    }
}

/// Checks the keys of a new app.
pub(super) fn check_all(
    field: &str,
    inputs: Vec<UserKeyInput>,
    now: Timestamp,
) -> Result<Vec<UserKey>, Error> {
    if inputs.len() > MAX_KEYS {
        return Err(Error::field(field, format!("must have at most {MAX_KEYS} entries")));
    }
    let mut keys: Vec<UserKey> = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let key = input.check(now).map_err(|InvalidKey { field: member, problem }| {
            Error::field(format!("{field}[{index}].{member}"), problem)
        })?;
        if keys.iter().any(|other| other.kid == key.kid) {
            return Err(Error::field(format!("{field}[{index}].kid"), "must be given once"));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Returns the keys that an app has, if a change leaves them out or repeats them.
pub(super) fn unchanged(
    field: &str,
    inputs: Option<Vec<UserKeyInput>>,
    keys: &[UserKey],
) -> Result<Vec<UserKey>, Error> {
    let is_unchanged = inputs.is_none_or(|inputs| {
        inputs.len() == keys.len() && inputs.iter().zip(keys).all(|(input, key)| input.is(key))
    });
    if is_unchanged {
        Ok(keys.to_vec())
    } else {
        Err(Error::field(field, "cannot be changed here: use the routes of …/apps/{id}/auth/keys"))
    }
}
