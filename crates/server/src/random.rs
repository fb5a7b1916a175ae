use rand::Rng;
use std::io;
use uuid::Uuid;

/// A cryptographic source of random bytes: the system's in production, a scripted one in tests.
pub trait Random: Send + Sync + 'static {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// If the source cannot be read. No secret may be generated then.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;

    /// Returns a random UUID (version 4).
    ///
    /// # Errors
    ///
    /// Those of [`fill`](Self::fill).
    fn uuid(&self) -> io::Result<Uuid> {
        let mut bytes = [0; 16];
        self.fill(&mut bytes)?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Returns a text of `len` characters, each of a-z0-9 with the same probability.
    ///
    /// # Errors
    ///
    /// Those of [`fill`](Self::fill).
    fn lowercase(&self, len: usize) -> io::Result<String> {
        const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(len);
        while text.len() < len {
            let mut bytes = [0; 32];
            self.fill(&mut bytes)?;
            // 252 is the largest multiple of 36 in a byte: larger bytes would make some characters more probable.
            let characters =
                bytes.iter().filter(|byte| **byte < 252).map(|byte| CHARACTERS[usize::from(byte % 36)]);
            text.extend(characters.take(len - text.len()).map(char::from));
        }
        Ok(text)
    }
}

/// The process's own generator (ChaCha, seeded and reseeded by the system): a challenge needs no system call.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[allow(clippy::disallowed_methods, reason = "this is the source of random numbers")]
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        rand::rng().fill_bytes(bytes);
        Ok(())
    }
}
