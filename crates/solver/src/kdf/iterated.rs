use alloc::vec::Vec;

use super::Parameters;
use super::password::Passwords;
use super::search::Kernel;
use super::sha256::{self, write_lanes};
use crate::sha256::backend::Vector;
use crate::sha256::lanes::Lanes;

/// SHA-256, iterated, a counter in each lane.
pub(super) struct Sha256 {
    sha256: sha256::Sha256<Vector>,
    salt: Vec<u8>,
    cost: u32,
}

impl Sha256 {
    pub(super) fn new(parameters: &Parameters<'_>) -> Sha256 {
        Sha256 { sha256: sha256::Sha256::new(), salt: parameters.salt.into(), cost: parameters.cost }
    }
}

impl Kernel for Sha256 {
    fn width(&self) -> usize {
        Vector::COUNT
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        let salt = &self.salt;
        let message = |lane: usize, at: usize| match salt.get(at) {
            Some(byte) => *byte,
            None => passwords.byte(lane, at - salt.len()),
        };
        let start = sha256::Sha256::start();
        let mut digest = start;
        self.sha256.finish(&mut digest, 0, salt.len() + passwords.len(), &message);
        let padding = self.sha256.pad_32(32 * 8);
        for _ in 1..self.cost {
            digest = self.sha256.message_32(&padding, &start, &digest);
        }
        write_lanes(&digest, heads);
    }

    fn whole(&mut self, _: usize, _: &mut [u8]) {}
}
