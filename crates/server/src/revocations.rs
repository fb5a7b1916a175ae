use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Sessions that are no longer accepted: those of one visitor or of a whole app that began before a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revocation {
    /// The visitor, as the `sub` of their token; `null` for all visitors of the app.
    #[schema(example = "anon_01234567-89ab-4cde-8f01-23456789abcd")]
    pub(crate) visitor: Option<String>,
    /// Sessions that began before this time are not accepted.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) not_before: Timestamp,
    /// The time of the request.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}

impl Revocation {
    /// Returns the first second, in Unix seconds, whose tokens this revocation accepts.
    pub(crate) fn first_accepted_second(&self) -> u64 {
        let milliseconds = u64::try_from(self.not_before.as_millisecond()).unwrap_or(0);
        milliseconds.div_ceil(1000)
    }
}

/// Returns the time before which tokens are revoked, so that it covers every token that was issued before `requested`, or
/// before `now` if `requested` is absent.
///
/// The `iat` of a token is a whole second, and the rest of that second may be after the revocation: the tokens of the whole
/// second are revoked. `of_app` is the newest revocation of all sessions of the app. Tokens that were issued after it have
/// an `iat` of its first accepted second at least, which may be ahead of the clock.
pub(crate) fn not_before(
    requested: Option<Timestamp>,
    now: Timestamp,
    of_app: Option<&Revocation>,
) -> Timestamp {
    let first_second = |revocation: &Revocation| {
        let second = i64::try_from(revocation.first_accepted_second()).ok()?;
        Timestamp::from_second(second).ok()
    };
    match requested {
        Some(time) => {
            // Before that revocation no token was issued ahead of the clock.
            let of_app = of_app.filter(|revocation| revocation.created_at <= time);
            let ahead = of_app.and_then(first_second).filter(|ahead| *ahead >= time);
            ahead.map_or(time, second_after)
        }
        // Its `created_at` is not compared: the clock of the instance that created it may be ahead of this one's.
        None => second_after(of_app.and_then(first_second).map_or(now, |ahead| ahead.max(now))),
    }
}

/// Returns the start of the next second.
fn second_after(time: Timestamp) -> Timestamp {
    time + SignedDuration::from_millis(1000 - time.as_millisecond().rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use super::{Revocation, not_before};
    use jiff::Timestamp;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn of_app(not_before: i64, created_at: i64) -> Revocation {
        Revocation { visitor: None, not_before: at(not_before), created_at: at(created_at) }
    }

    #[test]
    fn a_token_is_accepted_from_the_next_whole_second_on() {
        for (time, second) in [(100_000, 100), (100_001, 101), (100_999, 101), (-5, 0)] {
            assert_eq!(of_app(time, time).first_accepted_second(), second);
        }
    }

    #[test]
    fn the_time_covers_every_token_that_was_issued_before() {
        for (requested, now, before, expected) in [
            (None, 100_000, None, 101_000),
            (None, 100_300, None, 101_000),
            (Some(99_500), 100_300, None, 99_500),
            // Tokens that were issued after this revocation have the `iat` 101.
            (None, 100_500, Some(of_app(101_000, 100_300)), 102_000),
            (Some(100_400), 100_500, Some(of_app(101_000, 100_300)), 102_000),
            (Some(100_600), 100_700, Some(of_app(100_300, 100_500)), 102_000),
            // No token had been issued ahead of the clock before the requested time.
            (Some(100_200), 100_500, Some(of_app(101_000, 100_300)), 100_200),
            (Some(103_500), 104_000, Some(of_app(101_000, 100_300)), 103_500),
            (None, 104_000, Some(of_app(101_000, 100_300)), 105_000),
            (Some(101_000), 101_500, Some(of_app(101_000, 100_300)), 102_000),
            // Another instance, whose clock is ahead, has made that revocation.
            (None, 100_300, Some(of_app(101_000, 100_700)), 102_000),
        ] {
            let time = not_before(requested.map(at), at(now), before.as_ref());
            assert_eq!(time, at(expected), "{requested:?} at {now}");
        }
    }
}
