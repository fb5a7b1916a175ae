//! The door to JavaScript: plain functions over numbers and one block of memory. The npm package's side of it is
//! `pkg/src/worker/wasm-module.ts`.
//!
//! JSON objects come in as a [`Form`] in memory that [`reserve`] gave, and steps go out as JSON text. Nothing is
//! imported, so the module runs wherever its instructions do, translated to JavaScript too; the tests call the same
//! functions natively.

use alloc::boxed::Box;
use alloc::string::String;
use core::ptr;

use saltmine_protocol::{Algorithm, Challenge, double, whole};
use saltmine_solver::{Job, Target, search};

use crate::failure::Code;
use crate::flow::{Config, Event, Flow, Goal, Json, Now, Response, Step, read_challenge};
use crate::form::Form;
use crate::step;

/// One piece of work: a session, a solution to be spent later, or a challenge that somebody else received.
///
/// [`step`] tells what to do next, as JSON (`pkg/src/worker/wasm-module.ts` has its type); each step but the last is answered by
/// [`responded`], [`unanswered`], [`searched`] or [`waited`].
pub struct Work {
    flow: Option<Flow>,
    job: Option<Job>,
    step: String,
}

/// Room for an input of so many bytes, which must be written before it is taken. It is given back by the function that
/// takes the input.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn reserve(len: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(len)).cast()
}

/// Takes an input.
///
/// # Safety
/// `input` is from [`reserve`]`(len)`, holds what `URLSearchParams` wrote, and was not taken before.
unsafe fn take(input: *mut u8, len: usize) -> Form {
    // SAFETY: `reserve` made a boxed slice of that length, which was written since, and the caller gives it up.
    let text = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(input, len)) };
    // SAFETY: the caller's promise.
    unsafe { Form::new(text.into()) }
}

/// The whole way to a session, or with `solve_only` to a solution; from
/// `{ baseUrl, appPath, token?, solution?, maxNumber }`, which the npm package has checked.
///
/// # Safety
/// `input` is from [`reserve`]`(len)`, holds what `URLSearchParams` wrote, and was not taken before.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub unsafe extern "C" fn session(
    input: *mut u8,
    len: usize,
    solve_only: bool,
    now_ms: f64,
    random: f64,
) -> *mut Work {
    // SAFETY: the caller's promise.
    let options = unsafe { take(input, len) };
    let flow = Flow::new(Config {
        goal: if solve_only { Goal::Solution } else { Goal::Session },
        base_url: options.text("baseUrl").unwrap_or_default(),
        app_path: options.text("appPath").unwrap_or_default(),
        token: options.text("token"),
        solution: options.text("solution"),
        max_number: whole(options.number("maxNumber").unwrap_or_default()),
    });
    let mut work = Work { flow: Some(flow), job: None, step: String::new() };
    work.go_on(|flow| flow.start(Now { ms: now_ms, random }));
    Box::into_raw(Box::new(work))
}

/// A challenge (the wire's JSON object), read strictly against the caller's ceiling. Its first step is the search,
/// or a failure with `challenge_malformed`, `algorithm_unsupported` or `maxnumber_too_large`.
///
/// # Safety
/// `input` is from [`reserve`]`(len)`, holds what `URLSearchParams` wrote, and was not taken before.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub unsafe extern "C" fn open(input: *mut u8, len: usize, ceiling: f64) -> *mut Work {
    // SAFETY: the caller's promise.
    let challenge = unsafe { take(input, len) };
    let mut work = Work { flow: None, job: None, step: String::new() };
    work.step = match read_challenge(&challenge, whole(ceiling)) {
        Ok(challenge) => search_step(&mut work.job, &challenge),
        Err(failure) => step::failed(&failure),
    };
    Box::into_raw(Box::new(work))
}

/// Where the text of the next step lies: ASCII, valid until the work is touched again.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn step(work: &Work) -> *const u8 {
    work.step.as_ptr()
}

/// How many bytes it has.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn step_len(work: &Work) -> usize {
    work.step.len()
}

/// The request was answered. NaN stands for a header that is absent or could not be read, a null `input` for a body that
/// is no JSON object.
///
/// # Safety
/// `input` is null, or from [`reserve`]`(len)`, holds what `URLSearchParams` wrote, and was not taken before.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub unsafe extern "C" fn responded(
    work: &mut Work,
    status: u16,
    date_ms: f64,
    retry_after_ms: f64,
    input: *mut u8,
    len: usize,
    now_ms: f64,
    random: f64,
) {
    // SAFETY: the caller's promise.
    let body = (!input.is_null()).then(|| unsafe { take(input, len) });
    let known = |ms: f64| Some(ms).filter(|ms| !ms.is_nan());
    let (date_ms, retry_after_ms) = (known(date_ms), known(retry_after_ms));
    work.resume(Event::Response(Response { status, date_ms, retry_after_ms, body }), now_ms, random);
}

/// The request was not answered.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn unanswered(work: &mut Work, timed_out: bool, now_ms: f64, random: f64) {
    work.resume(Event::Unanswered { timed_out }, now_ms, random);
}

/// The search ended: the number, or -1.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn searched(work: &mut Work, number: f64, now_ms: f64, random: f64) {
    let found = (number >= 0.0).then(|| whole(number));
    work.resume(Event::Searched(found), now_ms, random);
}

/// The wait is over.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn waited(work: &mut Work, now_ms: f64, random: f64) {
    work.resume(Event::Waited, now_ms, random);
}

/// Searches `start..=end` of the challenge at one go; the number, or -1.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub extern "C" fn run(work: &Work, start: f64, end: f64) -> f64 {
    let found = work.job.as_ref().and_then(|job| search(job, whole(start)..=whole(end)));
    found.map_or(-1.0, double)
}

/// The end of a piece of work.
///
/// # Safety
/// `work` is from [`session`] or [`open`], and is not used again.
#[cfg_attr(all(target_arch = "wasm32", feature = "module"), unsafe(no_mangle))]
pub unsafe extern "C" fn close(work: *mut Work) {
    // SAFETY: both made it with `Box::into_raw`, and the caller gives it up.
    drop(unsafe { Box::from_raw(work) });
}

impl Work {
    fn resume(&mut self, event: Event<Form>, ms: f64, random: f64) {
        self.go_on(|flow| flow.resume(event, Now { ms, random }));
    }

    fn go_on(&mut self, next: impl FnOnce(&mut Flow) -> Step) {
        let Some(flow) = &mut self.flow else { return };
        self.step = match (next(flow), flow.challenge()) {
            (Step::Search, Some(challenge)) => search_step(&mut self.job, challenge),
            (Step::Request(request), _) => step::request(&request),
            (Step::Wait(ms), _) => step::wait(ms),
            (Step::Granted(granted), _) => step::granted(&granted),
            (Step::Solved(solved), _) => step::solved(solved.as_ref()),
            (Step::Failed(failure), _) => step::failed(&failure),
            // There is nothing to search without a challenge.
            (Step::Search, None) => step::failed(&Code::NoSolution.into()),
        };
    }
}

fn search_step(job: &mut Option<Job>, challenge: &Challenge) -> String {
    *job = target(challenge).map(|target| Job::new(challenge.salt().as_bytes(), &target));
    step::search(challenge, job.is_some())
}

/// What to search for; `None` if this build does not have the challenge's hash function.
fn target(challenge: &Challenge) -> Option<Target> {
    let digest = challenge.digest();
    match challenge.algorithm() {
        Algorithm::Sha256 => digest.try_into().ok().map(Target::Sha256),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha1 => digest.try_into().ok().map(Target::Sha1),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha384 => digest.try_into().ok().map(Target::Sha384),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha512 => digest.try_into().ok().map(Target::Sha512),
        #[cfg(not(feature = "all-algorithms"))]
        _ => None,
    }
}
