#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| saltmine_fuzz::solution_header::run(data));
