//! The wasm module that searches ALTCHA version 2 challenges: one class, [`KeySearch`], over
//! [`saltmine_solver::kdf::Search`].
//!
//! The npm package validates a challenge's parameters before it starts a worker; an error here is a fault of the
//! caller, or missing memory.

#![cfg_attr(all(target_arch = "wasm32", feature = "module"), no_std)]
// The attribute of wasm-bindgen writes unsafe code; this crate has none of its own.
#![deny(unsafe_code)]

extern crate alloc;

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod module;

use alloc::vec::Vec;

use saltmine_solver::kdf::{Algorithm, CounterMode, Error, Parameters, Search};
use wasm_bindgen::prelude::wasm_bindgen;

/// The error of a search that cannot start.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The browser does not give the memory of the key derivation.
    Memory,
    /// A parameter has a value that is not allowed.
    Parameters,
    /// This module does not have the algorithm.
    Algorithm,
}

/// A search with the memory of its key derivation.
#[wasm_bindgen]
#[derive(Debug)]
pub struct KeySearch {
    search: Search,
    key: Vec<u8>,
}

#[wasm_bindgen]
impl KeySearch {
    /// Allocates the memory of a search.
    ///
    /// `algorithm`, `cost`, `memory_cost` and `parallelism` are the challenge's; `password` is the nonce, `key_prefix` the
    /// prefix's digits. `is_decimal` writes the counter in decimal digits, as challenges of version 1 do.
    ///
    /// # Errors
    ///
    /// A [`Refusal`].
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments, reason = "an object would cost a getter for each member")]
    pub fn new(
        algorithm: &str,
        nonce: &[u8],
        salt: &[u8],
        cost: u32,
        memory_cost: u32,
        parallelism: u32,
        key_length: u32,
        key_prefix: &str,
        is_decimal: bool,
    ) -> Result<KeySearch, Refusal> {
        let parameters = Parameters {
            algorithm: Algorithm::from_name(algorithm).ok_or(Refusal::Algorithm)?,
            nonce,
            salt,
            cost,
            memory_cost,
            parallelism,
            key_length,
            counter_mode: if is_decimal { CounterMode::Decimal } else { CounterMode::Uint32 },
        };
        match Search::new(&parameters, key_prefix) {
            Ok(search) => Ok(KeySearch { search, key: Vec::new() }),
            Err(Error::Memory) => Err(Refusal::Memory),
            Err(Error::Parameters) => Err(Refusal::Parameters),
            Err(Error::Algorithm) => Err(Refusal::Algorithm),
        }
    }

    /// Tries the `count` counters from `first` on. Returns the first whose key begins with the prefix, or -1.
    pub fn search(&mut self, first: f64, count: u32) -> f64 {
        match self.search.search(first as u64, count) {
            Some((counter, key)) => {
                self.key = key;
                counter as f64
            }
            None => -1.0,
        }
    }

    /// Returns the key of the counter that was found last.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> Vec<u8> {
        self.key.clone()
    }
}
