use alloc::vec;
use alloc::vec::Vec;

use ::pbkdf2::pbkdf2_hmac;
use ::scrypt::scrypt;
use argon2::{Argon2, Block, Version};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::password::Passwords;
use super::{Algorithm, Error, Parameters};

/// Derives the key of one counter, by the RustCrypto crates, which use the processor's SHA instructions: for servers,
/// which issue and verify, and as the reference implementation of the search.
///
/// ```
/// use saltmine_solver::kdf::{Algorithm, CounterMode, Parameters, derive};
///
/// let parameters = Parameters {
///     algorithm: Algorithm::Sha256,
///     nonce: &[0; 16],
///     salt: &[1; 16],
///     cost: 1000,
///     memory_cost: 0,
///     parallelism: 1,
///     key_length: 32,
///     counter_mode: CounterMode::Uint32,
/// };
/// assert_eq!(derive(&parameters, 7).unwrap().len(), 32);
/// ```
///
/// # Errors
///
/// [`Error::Parameters`] if the parameters are not valid, [`Error::Memory`] if the memory of Argon2id is refused.
pub fn derive(parameters: &Parameters<'_>, counter: u64) -> Result<Vec<u8>, Error> {
    parameters.check()?;
    let mut passwords = Passwords::new(parameters.nonce, parameters.counter_mode);
    if counter > passwords.max() {
        return Err(Error::Parameters);
    }
    passwords.start_at(counter);
    let (password, salt, cost) = (passwords.first(), parameters.salt, parameters.cost);
    let mut key = vec![0; parameters.derived_length()];
    match parameters.algorithm {
        Algorithm::Sha256 => iterated::<Sha256>(salt, password, cost, &mut key),
        Algorithm::Sha384 => iterated::<Sha384>(salt, password, cost, &mut key),
        Algorithm::Sha512 => iterated::<Sha512>(salt, password, cost, &mut key),
        Algorithm::Pbkdf2Sha256 => pbkdf2_hmac::<Sha256>(password, salt, cost, &mut key),
        Algorithm::Pbkdf2Sha384 => pbkdf2_hmac::<Sha384>(password, salt, cost, &mut key),
        Algorithm::Pbkdf2Sha512 => pbkdf2_hmac::<Sha512>(password, salt, cost, &mut key),
        Algorithm::Scrypt => {
            let log_n = cost.trailing_zeros() as u8;
            let params = ::scrypt::Params::new(log_n, parameters.memory_cost, parameters.parallelism);
            let params = params.map_err(|_| Error::Parameters)?;
            scrypt(password, salt, &params, &mut key).map_err(|_| Error::Parameters)?;
        }
        Algorithm::Argon2id => {
            let params =
                argon2::Params::new(parameters.memory_cost, cost, parameters.parallelism, Some(key.len()))
                    .map_err(|_| Error::Parameters)?;
            let mut memory = Vec::new();
            memory.try_reserve_exact(params.block_count()).map_err(|_| Error::Memory)?;
            memory.resize(params.block_count(), Block::default());
            Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into_with_memory(password, salt, &mut key, &mut memory)
                .map_err(|_| Error::Parameters)?;
        }
    }
    Ok(key)
}

fn iterated<D: Digest>(salt: &[u8], password: &[u8], cost: u32, key: &mut [u8]) {
    let mut digest = D::new().chain_update(salt).chain_update(password).finalize();
    for _ in 1..cost {
        digest = D::digest(&digest);
    }
    key.copy_from_slice(&digest[..key.len()]);
}
