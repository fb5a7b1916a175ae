use crate::Random;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;
use utoipa::ToSchema;

/// What every secret begins with, so that one in a log or a repository is recognised.
const PREFIX: &str = "smk_";

/// Characters of a secret after that, each of 36: 248 bits.
const RANDOM_CHARACTERS: usize = 48;

/// How much of a secret may be shown.
const SHOWN_CHARACTERS: usize = PREFIX.len() + 6;

/// What a server calls the run API with, in the place of a visitor's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// `key_` and at least 16 of a-z0-9.
    #[schema(example = "key_0123456789abcdefghij")]
    pub id: String,
    /// The tenant that owns it.
    pub tenant_id: String,
    /// The tenant's project that it belongs to.
    pub project_id: String,
    /// What people call it.
    pub name: String,
    /// The one agent that answers.
    pub agent_id: String,
    /// The first characters of the secret, to tell keys apart by.
    #[schema(example = "smk_a1b2c3")]
    pub key_prefix: String,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The secret of an API key: shown once, and kept as its SHA-256 alone.
///
/// A slow hash guards passwords, which people choose and others guess. Of 248 random bits nobody guesses any, so that
/// a fast one is as good, and costs nothing on each request.
pub(crate) struct ApiKeySecret(String);

impl ApiKeySecret {
    /// Draws one.
    pub(crate) fn draw(random: &dyn Random) -> io::Result<Self> {
        Ok(Self(format!("{PREFIX}{}", random.lowercase(RANDOM_CHARACTERS)?)))
    }

    /// A bearer token that looks like one. A session token does not.
    pub(crate) fn from_bearer(token: &str) -> Option<Self> {
        token.starts_with(PREFIX).then(|| Self(token.to_owned()))
    }

    /// What is kept, and looked for. Who reads it cannot get the secret back.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// What may be shown later.
    pub(crate) fn shown(&self) -> String {
        self.0.chars().take(SHOWN_CHARACTERS).collect()
    }

    /// The secret itself, for the one answer that tells it.
    pub(crate) fn reveal(self) -> String {
        self.0
    }
}
