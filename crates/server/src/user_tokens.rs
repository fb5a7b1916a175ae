//! Tokens of signed-in users: JWTs that the backend of an app's owner signs.

use crate::WebClient;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

/// The maximum lifetime of a token, in seconds: 1 day.
const MAX_LIFETIME_SECONDS: f64 = 86_400.0;

/// The maximum difference of the clocks of the app's owner and of this server, in seconds.
const TOLERANCE_SECONDS: f64 = 60.0;

/// The maximum number of characters of the JSON of the claims that an agent receives.
const MAX_CLAIMS_CHARACTERS: usize = 1024;

/// The maximum number of characters of a `sub`.
pub(crate) const MAX_SUB_CHARACTERS: usize = 255;

/// The maximum size of a token, in bytes: twice the size of the claims, the longest `sub` and an RSA signature of 8192
/// bits.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The prefix of the `sub` of every anonymous visitor. No signed-in user has such a `sub`.
pub(crate) const ANONYMOUS_PREFIX: &str = "anon_";

/// Claims that an agent never receives: they belong to the token, or to this server.
const WITHHELD_CLAIMS: [&str; 11] =
    ["sub", "iat", "exp", "aud", "iss", "jti", "nbf", "tid", "pid", "agentId", "internal"];

/// A user whose token the app's owner signed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SignedInUser {
    /// The id of the user, among the app's users.
    pub(crate) sub: String,
    /// The time of the token's creation, in Unix seconds.
    pub(crate) issued_at_seconds: u64,
    /// The claims about the user, from the app's owner, for the agent.
    pub(crate) claims: Map<String, Value>,
}

/// The reason why a token is invalid. The text completes "Invalid end-user JWT: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserTokenError {
    /// The token is not a JWT.
    #[error("it must be three base64url parts, a header and claims in JSON and a signature")]
    Malformed,
    /// The token is too long.
    #[error("it must have at most {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// The header does not name a key.
    #[error("its header must have a `kid`, the name of a key of this app")]
    KidMissing,
    /// The header names a key that the app does not have.
    #[error("this app has no key with its `kid`")]
    KidUnknown,
    /// The header names another algorithm than that of the key.
    #[error("its `alg` must be {0}, the algorithm of its key")]
    Algorithm(&'static str),
    /// The header has an extension that the server does not support.
    #[error("its header has `crit`, and the server knows no extensions")]
    Critical,
    /// The signature is not that of the key.
    #[error("its signature does not match its key")]
    Signature,
    /// A claim is missing, or of another type.
    #[error("its claim `{claim}` must be {must}")]
    Claim {
        /// The name of the claim.
        claim: &'static str,
        /// The required form.
        must: &'static str,
    },
    /// The `sub` has the prefix of anonymous visitors.
    #[error("its `sub` must not begin with `{ANONYMOUS_PREFIX}`")]
    AnonymousSub,
    /// The lifetime is too long.
    #[error("its `exp` must be at most 86400 s (1 day) after its `iat`")]
    Lifetime,
    /// The token has expired.
    #[error("it has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("its `nbf` is in the future")]
    NotYetValid,
    /// The token was created in the future.
    #[error("its `iat` is in the future")]
    IssuedInFuture,
    /// The token is for another audience.
    #[error("its `aud` must contain the audience of this app")]
    Audience,
    /// The claims for the agent are too long.
    #[error("the JSON of its other claims must have at most {MAX_CLAIMS_CHARACTERS} characters")]
    ClaimsTooLong,
}

/// Returns the user of a token that one of the app's keys signed and that is valid at `now_seconds`.
///
/// # Errors
///
/// The first rule that the token does not meet.
pub(crate) fn verify(app: &WebClient, token: &str, now_seconds: u64) -> Result<SignedInUser, UserTokenError> {
    use UserTokenError as Error;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Error::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Error::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(Error::Malformed)?;
    // An object (RFC 7515, section 4): serde would also read a struct from a list.
    let header: Map<String, Value> =
        serde_json::from_slice(&decode(header)?).map_err(|_| Error::Malformed)?;
    let signature = decode(signature)?;
    let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Error::Malformed)?;
    let kid = header.get("kid").and_then(Value::as_str).ok_or(Error::KidMissing)?;
    let key = app.public_keys.iter().find(|key| key.kid == kid).ok_or(Error::KidUnknown)?;
    if !key.algorithm.is_named(algorithm) {
        return Err(Error::Algorithm(key.algorithm.name()));
    }
    // Extensions that a verifier must understand (RFC 7515, section 4.1.11).
    if header.contains_key("crit") {
        return Err(Error::Critical);
    }
    if !key.verifies(message.as_bytes(), &signature) {
        return Err(Error::Signature);
    }
    let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| Error::Malformed)?;
    check(app, claims, now_seconds as f64)
}

/// Checks the claims of a token whose signature is valid.
fn check(app: &WebClient, mut claims: Map<String, Value>, now: f64) -> Result<SignedInUser, UserTokenError> {
    use UserTokenError as Error;
    let sub = claims.get("sub").and_then(Value::as_str).filter(|sub| is_sub(sub)).map(str::to_owned);
    let must = "a text of 1 to 255 characters";
    let sub = sub.ok_or(Error::Claim { claim: "sub", must })?;
    if sub.starts_with(ANONYMOUS_PREFIX) {
        return Err(Error::AnonymousSub);
    }
    let time = |claim| match claims.get(claim) {
        None => Ok(None),
        Some(value) => {
            let error = Error::Claim { claim, must: "a number of seconds since 1970" };
            value.as_f64().filter(|time| time.is_finite()).map(Some).ok_or(error)
        }
    };
    let required = |claim| {
        let error = Error::Claim { claim, must: "a number of seconds since 1970" };
        time(claim)?.ok_or(error)
    };
    let (iat, exp) = (required("iat")?, required("exp")?);
    if exp - iat > MAX_LIFETIME_SECONDS {
        return Err(Error::Lifetime);
    }
    if now >= exp + TOLERANCE_SECONDS {
        return Err(Error::Expired);
    }
    if time("nbf")?.is_some_and(|nbf| now + TOLERANCE_SECONDS < nbf) {
        return Err(Error::NotYetValid);
    }
    if now + TOLERANCE_SECONDS < iat {
        return Err(Error::IssuedInFuture);
    }
    if let Some(audience) = &app.audience
        && !claims.get("aud").is_some_and(|aud| is_for(aud, audience))
    {
        return Err(Error::Audience);
    }
    claims.retain(|name, _| !WITHHELD_CLAIMS.contains(&name.as_str()));
    let json = serde_json::to_string(&claims).map_err(|_| Error::Malformed)?;
    if json.chars().count() > MAX_CLAIMS_CHARACTERS {
        return Err(Error::ClaimsTooLong);
    }
    // A time before 1970 is 0.
    Ok(SignedInUser { sub, issued_at_seconds: iat as u64, claims })
}

/// Returns whether the text can name a user, also in the database and in a log line.
pub(crate) fn is_sub(sub: &str) -> bool {
    (1..=MAX_SUB_CHARACTERS).contains(&sub.chars().count()) && !sub.contains(char::is_control)
}

/// Returns whether `aud`, a text or a list of texts, contains the audience.
fn is_for(aud: &Value, audience: &str) -> bool {
    match aud {
        Value::Array(all) => all.iter().any(|one| one == audience),
        one => one == audience,
    }
}

fn decode(text: &str) -> Result<Vec<u8>, UserTokenError> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| UserTokenError::Malformed)
}
