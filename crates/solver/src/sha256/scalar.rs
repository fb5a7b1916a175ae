//! One candidate at a time, for processors and WebAssembly engines without 128-bit vectors.

pub(crate) const NAME: &str = "scalar";

pub(crate) type Vector = u32;
