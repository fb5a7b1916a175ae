//! The commands of the binary.

pub(crate) mod health;
pub(crate) mod manage;
pub(crate) mod serve;
