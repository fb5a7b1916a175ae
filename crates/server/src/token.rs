//! Session tokens: JWTs (RFC 7519), signed with HMAC-SHA-256 (HS256) and nothing else.

use crate::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const ISSUER: &str = "inkeep";
const ANONYMOUS: &str = "anonymous";

/// What a session token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it: `inkeep`.
    pub iss: String,
    /// Whose it is: `anon_<uuid>`.
    pub sub: String,
    /// The app's tenant.
    pub tid: String,
    /// The app's project.
    pub pid: String,
    /// The app's id.
    pub app: String,
    /// The kind of user: `anonymous`.
    pub r#type: String,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// When it ends, in Unix seconds.
    pub exp: u64,
}

/// Makes and judges session tokens.
pub struct Tokens {
    encoding: EncodingKey,
    /// The first is that of `encoding`.
    decoding: Vec<DecodingKey>,
    validation: Validation,
    lifetime_seconds: u32,
}

impl Tokens {
    /// Tokens signed with `secret` that live for `lifetime_seconds`. Those signed with `second` are good too.
    #[must_use]
    pub fn new(secret: &Secret, second: Option<&Secret>, lifetime_seconds: u32) -> Self {
        // Fails if it is there already: then it is this one.
        let _ = HS256_ONLY.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub", "exp"]);
        // The library reads the system's clock; `verify` asks ours.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: [Some(secret), second]
                .into_iter()
                .flatten()
                .map(|secret| DecodingKey::from_secret(secret.as_bytes()))
                .collect(),
            validation,
            lifetime_seconds,
        }
    }

    /// What a token for `sub` would say.
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

    /// Signs what the token should say.
    ///
    /// # Errors
    ///
    /// The library's, which none of these claims brings about.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
    }

    /// What a token says, if it is an anonymous one of ours and not over at `now_seconds`.
    #[must_use]
    pub fn verify(&self, token: &str, now_seconds: u64) -> Option<Claims> {
        let decode = |key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok();
        let claims = self.decoding.iter().find_map(decode)?.claims;
        (claims.r#type == ANONYMOUS && now_seconds < claims.exp).then_some(claims)
    }
}

/// The library leaves the cryptography to a provider. Its own ones bring RSA and elliptic curves along, which no
/// token here may use.
static HS256_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.as_bytes()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        // Compares in constant time.
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Tokens};
    use crate::Secret;

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
        let _ = Tokens::new(&Secret::from("installs the provider"), None, 60);
        let signature = jsonwebtoken::crypto::sign(
            message.as_bytes(),
            &jsonwebtoken::EncodingKey::from_secret(&key),
            jsonwebtoken::Algorithm::HS256,
        );
        assert_eq!(signature.unwrap(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
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
        let token = tokens.sign(&claims).unwrap();
        assert_eq!(tokens.verify(&token, 159), Some(claims.clone()));
        assert_eq!(tokens.verify(&token, 160), None);
        assert_eq!(Tokens::new(&Secret::from("other"), None, 60).verify(&token, 100), None);
        let rotated = Tokens::new(&Secret::from("other"), Some(&Secret::from("secret")), 60);
        assert_eq!(rotated.verify(&token, 100), Some(claims.clone()), "by its second secret");
        assert_eq!(tokens.verify(&rotated.sign(&claims).unwrap(), 100), None, "the first one signs");
        for spoiled in [
            Claims { iss: "other".into(), ..claims.clone() },
            Claims { r#type: "staff".into(), ..claims.clone() },
        ] {
            assert_eq!(tokens.verify(&tokens.sign(&spoiled).unwrap(), 100), None);
        }
    }
}
