//! The wasm client: fetch the challenge, solve it, request the session.
