use alloc::vec::Vec;

use super::Parameters;
use super::password::Passwords;
use super::search::Kernel;
use super::sha256::{self, Hmac, write_lane, write_lanes};
use crate::sha256::backend::Vector;
use crate::sha256::lanes::Lanes;

/// PBKDF2-HMAC-SHA-256, a counter in each lane.
pub(super) struct Sha256 {
    sha256: sha256::Sha256<Vector>,
    hmac: Option<Hmac<Vector>>,
    salt: Vec<u8>,
    cost: u32,
}

impl Sha256 {
    pub(super) fn new(parameters: &Parameters<'_>) -> Sha256 {
        Sha256 {
            sha256: sha256::Sha256::new(),
            hmac: None,
            salt: parameters.salt.into(),
            cost: parameters.cost,
        }
    }

    fn block(&mut self, hmac: &Hmac<Vector>, index: u32) -> [Vector; 8] {
        let salt = &self.salt;
        hmac.pbkdf2(&mut self.sha256, salt.len(), &|_, at| salt[at], self.cost, index)
    }
}

impl Kernel for Sha256 {
    fn width(&self) -> usize {
        Vector::COUNT
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        let hmac = Hmac::new(&mut self.sha256, passwords.len(), &|lane, at| passwords.byte(lane, at));
        let block = self.block(&hmac, 1);
        write_lanes(&block, heads);
        self.hmac = Some(hmac);
    }

    fn whole(&mut self, lane: usize, key: &mut [u8]) {
        let Some(hmac) = self.hmac else { return };
        for (at, bytes) in key.chunks_mut(32).enumerate() {
            let block = self.block(&hmac, at as u32 + 1);
            write_lane(&block, lane, bytes);
        }
    }
}
