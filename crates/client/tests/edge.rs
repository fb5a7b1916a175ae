//! The functions that JavaScript calls, called as it calls them: on every target, natively under Miri too.

use saltmine_client::edge::{self, Work};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW_MS: f64 = 1_790_000_000_000.0;
/// SHA-256("salt7"), as `URLSearchParams` writes the challenge.
const CHALLENGE: &str = "algorithm=ssha-256&maxnumber=n1000&salt=ssalt\
    &challenge=s2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0\
    &signature=s0000000000000000000000000000000000000000000000000000000000000000";
const OPTIONS: &str = "baseUrl=shttp%3A%2F%2F127.0.0.1%3A8787&appPath=sapp_1&maxNumber=n10000000";

/// Writes an input as JavaScript does.
fn hand_over(text: &str) -> (*mut u8, usize) {
    let input = edge::reserve(text.len());
    // SAFETY: `reserve` gave so many bytes, and nobody else has them.
    unsafe { input.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    (input, text.len())
}

/// A piece of work, closed at its end.
struct Owned(*mut Work);

impl Owned {
    fn open(challenge: &str, ceiling: f64) -> Self {
        let (input, len) = hand_over(challenge);
        // SAFETY: the input was just made.
        Self(unsafe { edge::open(input, len, ceiling) })
    }

    fn session(options: &str, solve_only: bool) -> Self {
        let (input, len) = hand_over(options);
        // SAFETY: the input was just made.
        Self(unsafe { edge::session(input, len, solve_only, NOW_MS, 0.5) })
    }

    fn get(&mut self) -> &mut Work {
        // SAFETY: it is closed when it is dropped, not before.
        unsafe { &mut *self.0 }
    }

    fn step(&mut self) -> String {
        let work = self.get();
        // SAFETY: the work is not touched in between.
        let bytes = unsafe { core::slice::from_raw_parts(edge::step(work), edge::step_len(work)) };
        String::from_utf8(bytes.into()).expect("ASCII")
    }

    fn responded(&mut self, status: u16, body: Option<&str>) {
        let (input, len) = body.map_or((core::ptr::null_mut(), 0), hand_over);
        // SAFETY: the input was just made, or is null.
        unsafe { edge::responded(self.get(), status, NOW_MS, f64::NAN, input, len, NOW_MS, 0.5) }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: it came from `open` or `session`, and this is its end.
        unsafe { edge::close(self.0) }
    }
}

#[test]
fn a_challenge_is_searched_to_its_ends() {
    let mut work = Owned::open(CHALLENGE, 1000.0);
    assert_eq!(work.step(), r#"{"type":"search","maxNumber":1000,"able":1}"#);
    for (start, end, found) in [(0.0, 1000.0, 7.0), (7.0, 7.0, 7.0), (0.0, 6.0, -1.0), (8.0, 1000.0, -1.0)] {
        assert!((edge::run(work.get(), start, end) - found).abs() < f64::EPSILON, "{start}..={end}");
    }
}

#[test]
fn a_challenge_that_is_none_is_named() {
    assert_eq!(
        Owned::open("", 1000.0).step(),
        r#"{"type":"failed","code":"challenge_malformed","field":"algorithm"}"#
    );
    assert_eq!(Owned::open(CHALLENGE, 999.0).step(), r#"{"type":"failed","code":"maxnumber_too_large"}"#);
    let mut work = Owned::open("algorithm=n1", 1.0);
    assert!((edge::run(work.get(), 0.0, 10.0) + 1.0).abs() < f64::EPSILON, "there is nothing to search");
}

#[test]
fn an_algorithm_that_this_build_lacks_is_told() {
    let rare = "algorithm=sSHA-1&salt=ssalt&challenge=s".to_owned()
        + &"0".repeat(40)
        + "&signature=s"
        + &"0".repeat(40);
    let able = u8::from(cfg!(feature = "all-algorithms"));
    let step = format!(r#"{{"type":"search","maxNumber":1000000,"able":{able}}}"#);
    assert_eq!(Owned::open(&rare, 1e6).step(), step);
}

#[test]
fn a_session_step_by_step() {
    let mut work = Owned::session(&format!("{OPTIONS}&token=sold"), false);
    assert_eq!(
        work.step(),
        r#"{"type":"request","method":"GET","url":"http://127.0.0.1:8787/run/auth/pow/challenge","headers":{}}"#
    );
    work.responded(200, Some(CHALLENGE));
    assert_eq!(work.step(), r#"{"type":"search","maxNumber":1000,"able":1}"#);
    edge::searched(work.get(), 7.0, NOW_MS, 0.5);
    let step = work.step();
    assert!(
        step.contains(r#""url":"http://127.0.0.1:8787/run/auth/apps/app_1/anonymous-session""#),
        "{step}"
    );
    assert!(
        step.contains(r#""X-Inkeep-Challenge-Solution":"eyJ"#)
            && step.contains(r#""Authorization":"Bearer old""#),
        "{step}"
    );
    edge::unanswered(work.get(), false, NOW_MS, 0.5);
    assert_eq!(work.step(), r#"{"type":"wait","ms":250}"#);
    edge::waited(work.get(), NOW_MS, 0.5);
    work.responded(200, Some("token=st&expiresAt=s2026-10-21T14%3A13%3A20Z"));
    assert_eq!(
        work.step(),
        r#"{"type":"granted","token":"t","expiresAt":"2026-10-21T14:13:20Z","proofOfWork":1,"serverMs":1790000000000}"#
    );
}

#[test]
fn a_refusal_carries_its_status() {
    let mut work = Owned::session(OPTIONS, false);
    work.responded(404, None);
    work.responded(403, Some("detail=s%22no%22+%C3%BC"));
    assert_eq!(work.step(), r#"{"type":"failed","code":"origin_not_allowed","status":403}"#);
    // The end stays the end.
    edge::waited(work.get(), NOW_MS, 0.5);
    assert_eq!(work.step(), r#"{"type":"failed","code":"response_malformed"}"#);
}

#[test]
fn a_solution_only() {
    let mut work = Owned::session(OPTIONS, true);
    work.responded(200, Some(CHALLENGE));
    edge::searched(work.get(), 7.0, NOW_MS, 0.5);
    assert!(work.step().starts_with(r#"{"type":"solved","header":"eyJ"#), "{}", work.step());
    let mut off = Owned::session(OPTIONS, true);
    off.responded(404, None);
    assert_eq!(off.step(), r#"{"type":"solved"}"#);
}

#[test]
fn nothing_found_is_a_failure() {
    let mut work = Owned::session(OPTIONS, false);
    work.responded(200, Some(CHALLENGE));
    edge::searched(work.get(), -1.0, NOW_MS, 0.5);
    assert_eq!(work.step(), r#"{"type":"failed","code":"no_solution"}"#);
}
