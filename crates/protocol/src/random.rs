//! Uniform numbers from a source of random bytes.

/// Returns a number of `0..count`, each with the same probability: values that would favour some are generated anew.
pub(crate) fn below<E>(count: u64, random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<u64, E> {
    let mask = u64::MAX >> (count - 1).leading_zeros().min(63);
    loop {
        let mut bytes = [0; 8];
        random(&mut bytes)?;
        let number = u64::from_le_bytes(bytes) & mask;
        if number < count {
            return Ok(number);
        }
    }
}
