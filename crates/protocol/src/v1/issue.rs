use super::Challenge;
use super::mac::{ISSUED, digest, sign};
use crate::{Binding, MAX_NUMBER, hex, random};
use alloc::format;
use alloc::string::String;

/// The parameters of a new challenge.
#[derive(Clone, Copy, Debug)]
pub struct IssueParams {
    /// The largest number that may solve it, limited to `1..=MAX_NUMBER`.
    pub max_number: u64,
    /// The lifetime, in seconds.
    pub ttl_seconds: u64,
    /// The current time, in Unix seconds.
    pub now_seconds: u64,
}

/// Generates a challenge and signs it. `random` fills a buffer from a cryptographic generator.
///
/// ```
/// use saltmine_protocol::{IssueParams, issue};
///
/// let params = IssueParams { max_number: 50_000, ttl_seconds: 300, now_seconds: 1_790_000_000 };
/// let mut state = 7u8; // a real one asks the system
/// let mut random = |bytes: &mut [u8]| {
///     bytes.fill_with(|| { state = state.wrapping_mul(5).wrapping_add(17); state });
///     Ok::<(), core::convert::Infallible>(())
/// };
/// let challenge = issue(b"a secret of at least 32 characters", params, &mut random).unwrap();
/// assert!(challenge.salt().ends_with("?expires=1790000300&"));
/// ```
///
/// # Errors
///
/// The error of `random`.
pub fn issue<E>(
    secret: &[u8],
    params: IssueParams,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Challenge, E> {
    issue_bound(secret, params, &Binding::NONE, random)
}

/// Issues a challenge like [`issue`], whose solution is valid only for the values that the challenge is bound to.
///
/// # Errors
///
/// The error of `random`.
///
/// # Panics
///
/// If a value of the binding is empty or has characters other than ASCII letters, digits and `_-.:/`.
pub fn issue_bound<E>(
    secret: &[u8],
    params: IssueParams,
    binding: &Binding,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Challenge, E> {
    let max_number = params.max_number.clamp(1, MAX_NUMBER);
    let mut nonce = [0; 12];
    random(&mut nonce)?;
    let expires = params.now_seconds.saturating_add(params.ttl_seconds);
    let parameters: String = binding.members().map(|(name, value)| format!("{name}={value}&")).collect();
    let salt = format!("{}?{parameters}expires={expires}&", hex::encode(&nonce));
    let digest = digest(&salt, 1 + random::below(max_number, random)?);
    let challenge = hex::encode(&digest);
    Ok(Challenge {
        algorithm: ISSUED,
        algorithm_name: ISSUED.name().into(),
        digest: digest.into(),
        max_number,
        signature: sign(secret, &challenge),
        challenge,
        salt,
        expires_at_seconds: Some(expires).filter(|expires| *expires <= MAX_NUMBER),
    })
}
