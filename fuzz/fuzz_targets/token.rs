#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| saltmine_fuzz::token::run(data));
