use super::{SECRET_CHARACTERS, development};

/// Why the server does not start: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret is too short.
    #[error(
        "{name} has {characters} characters: give it at least {at_least}, for example from `openssl rand -hex 32`{otherwise}."
    )]
    ShortSecret {
        /// The variable.
        name: &'static str,
        /// How many it has.
        characters: usize,
        /// How many it should have.
        at_least: usize,
        /// What else can be done.
        otherwise: &'static str,
    },
    /// The secret that signs tokens is missing.
    #[error(
        "INKEEP_ANON_JWT_SECRET is not set: give it at least {SECRET_CHARACTERS} characters, for example from `openssl rand -hex 32`, or set SALTMINE_ENV=development to try the server out."
    )]
    NoTokenSecret,
    /// A variable is missing that another needs.
    #[error("{name} is set, and {missing} is not: set it too, or neither.")]
    Incomplete {
        /// The one that is set.
        name: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// Two keys that permit different calls are the same.
    #[error("{name} is the same as {other}: give it a value of its own, or leave it unset.")]
    SameKey {
        /// The variable.
        name: &'static str,
        /// The other variable.
        other: &'static str,
    },
    /// A variable holds what it must not.
    #[error("{name} is {value:?}: it must be {must}.")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What its value must be.
        must: String,
    },
    /// A variable begins like the server's own and is not one of them.
    #[error("{name} is not a variable of this server: {advice}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// What to do about it.
        advice: String,
    },
    /// A value is given directly and by a file.
    #[error("{name} and {name}_FILE are both set: set one of them.")]
    GivenTwice {
        /// The variable.
        name: String,
    },
    /// The file that holds a value cannot be read.
    #[error(
        "The file that {name}_FILE names cannot be read ({problem}): correct the path, or let this user read it."
    )]
    UnreadableFile {
        /// The variable.
        name: String,
        /// What the system says.
        problem: std::io::Error,
    },
    /// The folder of static files would publish a file that must stay private.
    #[error(
        "SALTMINE_STATIC_DIR is {folder:?}, which contains {private}: its files are public, so choose another folder for one of the two."
    )]
    StaticFolder {
        /// The folder.
        folder: String,
        /// What it contains.
        private: &'static str,
    },
    /// The generated secrets can be neither read nor made.
    #[error(transparent)]
    Secrets(#[from] development::SecretsError),
}
