use super::{SECRET_CHARACTERS, development};

/// The reason why the server does not start: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret is too short.
    #[error(
        "{name} has {characters} characters: give it at least {at_least}, for example from `openssl rand -hex 32`{otherwise}."
    )]
    ShortSecret {
        /// The variable.
        name: &'static str,
        /// The number of characters that it has.
        characters: usize,
        /// The minimum number of characters.
        at_least: usize,
        /// The alternative, as the end of the sentence.
        otherwise: &'static str,
    },
    /// The secret that signs tokens is missing.
    #[error(
        "INKEEP_ANON_JWT_SECRET is not set: give it at least {SECRET_CHARACTERS} characters, for example from `openssl rand -hex 32`, or set SALTMINE_ENV=development to try the server out."
    )]
    NoTokenSecret,
    /// A variable that another one requires is missing.
    #[error("{name} is set, and {missing} is not: set both, or neither.")]
    Incomplete {
        /// The variable that is set.
        name: &'static str,
        /// The variable that is missing.
        missing: &'static str,
    },
    /// The address of the database is none that this server can use. It is not shown: it may hold a password.
    #[error(
        "DATABASE_URL cannot be used: give the address of a database, such as sqlite://saltmine.db or postgres://user:password@host/name."
    )]
    Database,
    /// Two keys that permit different calls are the same.
    #[error("{name} is the same as {other}: give it a value of its own, or leave it unset.")]
    SameKey {
        /// The variable.
        name: &'static str,
        /// The other variable.
        other: &'static str,
    },
    /// A variable has an invalid value.
    #[error("{name} is {value:?}: it must be {must}.")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// The requirement that the value does not meet.
        must: String,
    },
    /// A variable has a prefix of the server's variables, but is not one of them.
    #[error("{name} is not a variable of this server: {advice}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The advice for the operator.
        advice: String,
    },
    /// A value is given directly and by a file.
    #[error("{name} and {name}_FILE are both set: set one of them.")]
    GivenTwice {
        /// The variable.
        name: String,
    },
    /// The file that should hold a value is empty.
    #[error(
        "{name}_FILE names {file:?}, which is empty: write the value into the file, or unset {name}_FILE."
    )]
    EmptyFile {
        /// The variable.
        name: String,
        /// The file.
        file: String,
    },
    /// The file that holds a value cannot be read.
    #[error(
        "The file that {name}_FILE names cannot be read ({problem}): correct the path, or let this user read it."
    )]
    UnreadableFile {
        /// The variable.
        name: String,
        /// The error of the system.
        problem: std::io::Error,
    },
    /// The folder of static files would publish a file that must stay private.
    #[error(
        "SALTMINE_STATIC_DIR is {folder:?}, which contains {private}: its files are public, so choose another folder for one of the two."
    )]
    StaticFolder {
        /// The folder.
        folder: String,
        /// The private file in the folder.
        private: &'static str,
    },
    /// The generated secrets cannot be read or created.
    #[error(transparent)]
    Secrets(#[from] development::SecretsError),
}
