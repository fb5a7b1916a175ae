//! The proof of work: its settings, the keys that are derived from its secret, and the challenges made in advance.

mod binding;
mod issuer;
mod key_derivation;
mod keys;
mod pool;
mod queue;

pub(crate) use binding::Purpose;
pub(crate) use issuer::Issuer;
pub use key_derivation::KeyDerivation;
pub(crate) use key_derivation::{MAX_COUNTER, MAX_HASH_COST, MAX_MEMORY_BYTES, MAX_PASSES, MAX_WORK};
pub(crate) use keys::V2Keys;
pub(crate) use queue::Requester;

use crate::{Secret, defaults};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// The required proof of work.
#[derive(Clone, Debug)]
pub struct ProofOfWork {
    /// Signs challenges of version 1; the keys of version 2 are derived from it.
    pub secret: Secret,
    /// Challenges signed with this secret are valid too: the previous secret, or the next.
    pub second_secret: Option<Secret>,
    /// The requests that require a solution.
    pub scope: PowScope,
    /// The versions that are issued and accepted, unless an app sets its own.
    pub versions: PowVersions,
    /// The largest number that may solve a challenge of version 1: twice the hashes that a visitor computes on average.
    pub max_number: u64,
    /// The cost of a version 2 challenge.
    pub key_derivation: KeyDerivation,
    /// The lifetime of a challenge, in seconds.
    pub ttl_seconds: u64,
    /// The binding of the challenges of `/run/auth/challenge`.
    pub binding: PowBinding,
    /// Whether to refuse solutions of challenges that are bound to no app.
    pub is_binding_required: bool,
}

impl ProofOfWork {
    /// The defaults.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            second_secret: None,
            scope: defaults::POW_SCOPE,
            versions: defaults::POW_VERSIONS,
            max_number: defaults::POW_DIFFICULTY,
            key_derivation: KeyDerivation::default(),
            ttl_seconds: defaults::POW_CHALLENGE_TTL_SECONDS,
            binding: defaults::POW_BINDING,
            is_binding_required: defaults::POW_BINDING_REQUIRED,
        }
    }

    /// Returns the version of the challenge that `/run/auth/challenge` issues for an app.
    pub(crate) fn issued(&self, app: Option<PowVersion>) -> PowVersion {
        app.unwrap_or(match self.versions {
            PowVersions::V1 => PowVersion::V1,
            PowVersions::V2 | PowVersions::V2Only => PowVersion::V2,
        })
    }

    /// Returns whether a solution of this version is accepted for an app.
    pub(crate) fn accepts(&self, version: PowVersion, app: Option<PowVersion>) -> bool {
        match app {
            Some(wanted) => version == wanted,
            None => match self.versions {
                PowVersions::V1 => version == PowVersion::V1,
                PowVersions::V2 => true,
                PowVersions::V2Only => version == PowVersion::V2,
            },
        }
    }

    /// Returns whether `/run/auth/pow/challenge`, whose challenges have version 1 and no binding, issues any.
    pub(crate) fn has_unbound_route(&self) -> bool {
        self.versions != PowVersions::V2Only && !self.is_binding_required
    }
}

/// The requests that require a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowScope {
    /// Each session.
    Session,
    /// Each session, and each message to an agent.
    Request,
}

impl PowScope {
    /// Returns the name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Request => "request",
        }
    }

    /// Returns the scope with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Session, Self::Request].into_iter().find(|scope| scope.name() == name)
    }
}

/// A version of ALTCHA. In JSON it is the number 1 or 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PowVersion {
    /// Find a number whose SHA-256 is known.
    V1,
    /// Find a counter whose derived key begins with a prefix.
    V2,
}

impl PowVersion {
    /// Returns the number of the version.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// Returns the version with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| u64::from(version.number()) == number)
    }
}

impl Serialize for PowVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for PowVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("must be 1 or 2"))
    }
}

impl utoipa::PartialSchema for PowVersion {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([1, 2])).into()
    }
}

impl utoipa::ToSchema for PowVersion {
    fn name() -> Cow<'static, str> {
        "PowVersion".into()
    }
}

/// The versions that the server issues and accepts for an app without a version of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowVersions {
    /// Version 1 on both routes.
    V1,
    /// Version 2 on `/run/auth/challenge`, version 1 on `/run/auth/pow/challenge` for clients without version 2.
    /// Both are accepted, so that an attacker can choose the one that requires less work.
    V2,
    /// Version 2 only: `/run/auth/pow/challenge` issues nothing.
    V2Only,
}

impl PowVersions {
    /// Returns the value of `SALTMINE_POW_VERSION`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
            Self::V2Only => "2-only",
        }
    }

    /// Returns the versions with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::V1, Self::V2, Self::V2Only].into_iter().find(|versions| versions.name() == name)
    }
}

/// The binding of a challenge of `/run/auth/challenge`: its solution is accepted for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowBinding {
    /// No binding.
    Off,
    /// The app.
    App,
    /// The app and the network of the address that requested the challenge: its /24 (IPv4) or /56 (IPv6).
    AppAndAddress,
}

impl PowBinding {
    /// Returns the value of `SALTMINE_POW_BINDING`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::App => "app",
            Self::AppAndAddress => "app-and-address",
        }
    }

    /// Returns the binding with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Off, Self::App, Self::AppAndAddress].into_iter().find(|binding| binding.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{PowVersion, PowVersions, ProofOfWork};

    #[test]
    fn an_app_decides_before_the_server() {
        use PowVersion::{V1, V2};
        for (versions, app, issued, accepted) in [
            (PowVersions::V1, None, V1, [true, false]),
            (PowVersions::V2, None, V2, [true, true]),
            (PowVersions::V2Only, None, V2, [false, true]),
            (PowVersions::V1, Some(V2), V2, [false, true]),
            (PowVersions::V2, Some(V2), V2, [false, true]),
            (PowVersions::V2, Some(V1), V1, [true, false]),
            (PowVersions::V2Only, Some(V1), V1, [true, false]),
        ] {
            let settings = ProofOfWork { versions, ..ProofOfWork::new("a secret".into()) };
            assert_eq!(settings.issued(app), issued, "{versions:?} {app:?}");
            assert_eq!([V1, V2].map(|it| settings.accepts(it, app)), accepted, "{versions:?} {app:?}");
        }
    }
}
