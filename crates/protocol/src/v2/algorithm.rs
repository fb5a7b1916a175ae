/// A key derivation, named as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `SHA-256`, iterated.
    Sha256,
    /// `SHA-384`, iterated.
    Sha384,
    /// `SHA-512`, iterated.
    Sha512,
    /// `PBKDF2/SHA-256`
    Pbkdf2Sha256,
    /// `PBKDF2/SHA-384`
    Pbkdf2Sha384,
    /// `PBKDF2/SHA-512`
    Pbkdf2Sha512,
    /// `SCRYPT`
    Scrypt,
    /// `ARGON2ID`
    Argon2id,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 8] = [
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Pbkdf2Sha256,
        Self::Pbkdf2Sha384,
        Self::Pbkdf2Sha512,
        Self::Scrypt,
        Self::Argon2id,
    ];

    /// Returns the algorithm with exactly this name.
    ///
    /// ```
    /// use saltmine_protocol::v2::Algorithm;
    /// assert_eq!(Algorithm::from_name("PBKDF2/SHA-256"), Some(Algorithm::Pbkdf2Sha256));
    /// assert_eq!(Algorithm::from_name("pbkdf2/sha-256"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Pbkdf2Sha256 => "PBKDF2/SHA-256",
            Self::Pbkdf2Sha384 => "PBKDF2/SHA-384",
            Self::Pbkdf2Sha512 => "PBKDF2/SHA-512",
            Self::Scrypt => "SCRYPT",
            Self::Argon2id => "ARGON2ID",
        }
    }

    /// Whether the algorithm has the parameters `memoryCost` and `parallelism`.
    #[must_use]
    pub const fn is_memory_hard(self) -> bool {
        matches!(self, Self::Scrypt | Self::Argon2id)
    }

    /// Returns the length of the longest key, in bytes, where that is a digest's.
    #[must_use]
    pub const fn max_key_length(self) -> Option<u32> {
        match self {
            Self::Sha256 => Some(32),
            Self::Sha384 => Some(48),
            Self::Sha512 => Some(64),
            _ => None,
        }
    }
}
