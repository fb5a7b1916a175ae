//! Session tokens: JWTs (RFC 7519), signed with HMAC-SHA-256 (HS256) and nothing else.

use crate::Secret;
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const ISSUER: &str = "inkeep";
const ANONYMOUS: &str = "anonymous";

/// The claims of a session token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: `inkeep`.
    pub iss: String,
    /// The user: `anon_<uuid>`.
    pub sub: String,
    /// The app's tenant.
    pub tid: String,
    /// The app's project.
    pub pid: String,
    /// The app's id.
    pub app: String,
    /// The type of the user: `anonymous`.
    pub r#type: String,
    /// The time of the creation, in Unix seconds; one second later for each revocation of all sessions of the app in that
    /// second.
    pub iat: u64,
    /// The expiry, in Unix seconds.
    pub exp: u64,
}

/// Signs and verifies session tokens.
///
/// This module uses no JWT library: such a library uses a crypto provider that is installed for the whole process, which
/// belongs to the program that embeds this one. HS256 is only one HMAC.
pub struct Tokens {
    /// The first secret signs.
    keys: Vec<Hmac<Sha256>>,
    lifetime_seconds: u32,
}

/// The header of every token, as it is sent.
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// The part of a token's header that is checked.
#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that a verifier must understand (RFC 7515): this one supports none.
    crit: Option<IgnoredAny>,
}

impl Tokens {
    /// Returns tokens signed with `secret` that are valid for `lifetime_seconds`. Those signed with `second` are
    /// accepted too.
    #[must_use]
    pub fn new(secret: &Secret, second: Option<&Secret>, lifetime_seconds: u32) -> Self {
        let key = |secret: &Secret| {
            Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length")
        };
        Self { keys: [Some(secret), second].into_iter().flatten().map(key).collect(), lifetime_seconds }
    }

    /// Returns the claims of a token for `sub`.
    #[must_use]
    pub fn claims(&self, sub: String, app: &crate::App, now_seconds: u64) -> Claims {
        Claims {
            iss: ISSUER.to_owned(),
            sub,
            tid: app.tenant_id.clone(),
            pid: app.project_id.clone(),
            app: app.id.clone(),
            r#type: ANONYMOUS.to_owned(),
            iat: now_seconds,
            exp: now_seconds + u64::from(self.lifetime_seconds),
        }
    }

    /// Signs a token with these claims.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let claims = serde_json::to_vec(claims).expect("claims are always JSON");
        let message = format!("{}.{}", encode(HEADER.as_bytes()), encode(&claims));
        let signature = self.keys[0].clone().chain_update(&message).finalize().into_bytes();
        format!("{message}.{}", encode(&signature))
    }

    /// Returns the claims of a token, if it is an anonymous one of this server and has not expired at `now_seconds`.
    #[must_use]
    pub fn verify(&self, token: &str, now_seconds: u64) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let signature = decode(signature)?;
        let is_signed = self.keys.iter().any(|key| {
            // Compares in constant time.
            key.clone().chain_update(message).verify_slice(&signature).is_ok()
        });
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if !is_signed || header.alg != "HS256" || header.crit.is_some() {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
        let is_ours = claims.iss == ISSUER && claims.r#type == ANONYMOUS;
        (is_ours && now_seconds < claims.exp).then_some(claims)
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Claims, Tokens};
    use crate::Secret;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    /// The example of RFC 7515, appendix A.1: header, claims and signature as printed there.
    #[test]
    fn the_signature_is_the_standards() {
        let message = concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        );
        let key = [
            0x03, 0x23, 0x35, 0x4b, 0x2b, 0x0f, 0xa5, 0xbc, 0x83, 0x7e, 0x06, 0x65, 0x77, 0x7b, 0xa6, 0x8f,
            0x5a, 0xb3, 0x28, 0xe6, 0xf0, 0x54, 0xc9, 0x28, 0xa9, 0x0f, 0x84, 0xb2, 0xd2, 0x50, 0x2e, 0xbf,
            0xd3, 0xfb, 0x5a, 0x92, 0xd2, 0x06, 0x47, 0xef, 0x96, 0x8a, 0xb4, 0xc3, 0x77, 0x62, 0x3d, 0x22,
            0x3d, 0x2e, 0x21, 0x72, 0x05, 0x2e, 0x4f, 0x08, 0xc0, 0xcd, 0x9a, 0xf5, 0x67, 0xd0, 0x80, 0xa3,
        ];
        let key = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signature = key.chain_update(message).finalize().into_bytes();
        assert_eq!(super::encode(&signature), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn a_token_is_good_until_it_ends() {
        let tokens = Tokens::new(&Secret::from("secret"), None, 60);
        let claims = Claims {
            iss: "inkeep".into(),
            sub: "anon_1".into(),
            tid: "t".into(),
            pid: "p".into(),
            app: "a".into(),
            r#type: "anonymous".into(),
            iat: 100,
            exp: 160,
        };
        let token = tokens.sign(&claims);
        assert_eq!(tokens.verify(&token, 159), Some(claims.clone()));
        assert_eq!(tokens.verify(&token, 160), None);
        assert_eq!(Tokens::new(&Secret::from("other"), None, 60).verify(&token, 100), None);
        let rotated = Tokens::new(&Secret::from("other"), Some(&Secret::from("secret")), 60);
        assert_eq!(rotated.verify(&token, 100), Some(claims.clone()), "by its second secret");
        assert_eq!(tokens.verify(&rotated.sign(&claims), 100), None, "the first one signs");
        for spoiled in [
            Claims { iss: "other".into(), ..claims.clone() },
            Claims { r#type: "staff".into(), ..claims.clone() },
        ] {
            assert_eq!(tokens.verify(&tokens.sign(&spoiled), 100), None);
        }
    }
}
