//! One candidate at a time, for processors and WebAssembly engines without 128-bit vectors.

pub(super) const NAME: &str = "scalar";

pub(super) type Vector = u32;
