/// The digest of a challenge (FIPS 180-4). This crate issues SHA-256; other servers use the others too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `SHA-1`
    Sha1,
    /// `SHA-256`
    Sha256,
    /// `SHA-384`
    Sha384,
    /// `SHA-512`
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Sha256, Self::Sha1, Self::Sha384, Self::Sha512];

    /// Returns the algorithm that a challenge names, in any letter case.
    ///
    /// ```
    /// use saltmine_protocol::Algorithm;
    /// assert_eq!(Algorithm::from_name("sha-256"), Some(Algorithm::Sha256));
    /// assert_eq!(Algorithm::from_name("SHA256"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name in its canonical spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Returns the length of a digest, in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}
