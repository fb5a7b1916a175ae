//! The requests that wait for a challenge. Apps take turns, and within an app the networks of the clients: nobody waits for
//! all requests of somebody else.

use crate::limits::AddressPrefix;
use std::collections::VecDeque;

/// The maximum number of waiting requests; further ones are refused.
const ALL: usize = 512;

/// The maximum number of one app, so that an app with many requests leaves slots for others.
pub(super) const OF_APP: usize = 256;

/// The maximum number of one app from one network, for the same reason.
pub(super) const OF_PREFIX: usize = 64;

/// The app and the network of a waiting request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requester<'a> {
    pub(crate) app: &'a str,
    pub(crate) prefix: AddressPrefix,
}

/// A request that waits.
pub(super) trait Job {
    /// Whether nobody waits for the result any more.
    fn is_abandoned(&self) -> bool;
}

/// Queues of jobs. In each list, the next one is the first.
pub(super) struct Queue<T> {
    apps: VecDeque<AppQueue<T>>,
    waiting: usize,
}

struct AppQueue<T> {
    app: String,
    prefixes: VecDeque<(AddressPrefix, VecDeque<T>)>,
    waiting: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { apps: VecDeque::new(), waiting: 0 }
    }
}

impl<T: Job> Queue<T> {
    /// Adds a job. Returns whether there was a free slot.
    pub(super) fn push(&mut self, requester: Requester<'_>, job: T) -> bool {
        if self.is_full(requester) {
            self.remove_abandoned();
            if self.is_full(requester) {
                return false;
            }
        }
        let Requester { app, prefix } = requester;
        match self.apps.iter_mut().find(|queue| queue.app == app) {
            Some(queue) => queue.push(prefix, job),
            None => {
                let prefixes = VecDeque::from([(prefix, VecDeque::from([job]))]);
                self.apps.push_back(AppQueue { app: app.to_owned(), prefixes, waiting: 1 });
            }
        }
        self.waiting += 1;
        true
    }

    /// Removes the next job that was not abandoned. Those that were cost their network no turn.
    pub(super) fn pop(&mut self) -> Option<T> {
        while let Some(mut queue) = self.apps.pop_front() {
            let before = queue.waiting;
            let job = queue.pop();
            self.waiting -= before - queue.waiting;
            if queue.waiting > 0 {
                self.apps.push_back(queue);
            }
            if job.is_some() {
                return job;
            }
        }
        None
    }

    fn is_full(&self, Requester { app, prefix }: Requester<'_>) -> bool {
        let of_app = self.apps.iter().find(|queue| queue.app == app);
        self.waiting >= ALL || of_app.is_some_and(|queue| queue.is_full(prefix))
    }

    /// Frees the slots of jobs that nobody waits for.
    fn remove_abandoned(&mut self) {
        for queue in &mut self.apps {
            for (_, jobs) in &mut queue.prefixes {
                jobs.retain(|job| !job.is_abandoned());
            }
            queue.prefixes.retain(|(_, jobs)| !jobs.is_empty());
            queue.waiting = queue.prefixes.iter().map(|(_, jobs)| jobs.len()).sum();
        }
        self.apps.retain(|queue| queue.waiting > 0);
        self.waiting = self.apps.iter().map(|queue| queue.waiting).sum();
    }
}

impl<T: Job> AppQueue<T> {
    fn push(&mut self, prefix: AddressPrefix, job: T) {
        match self.prefixes.iter_mut().find(|(other, _)| *other == prefix) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.prefixes.push_back((prefix, VecDeque::from([job]))),
        }
        self.waiting += 1;
    }

    fn pop(&mut self) -> Option<T> {
        while let Some((prefix, mut jobs)) = self.prefixes.pop_front() {
            let before = jobs.len();
            let job = std::iter::from_fn(|| jobs.pop_front()).find(|job| !job.is_abandoned());
            self.waiting -= before - jobs.len();
            if !jobs.is_empty() {
                self.prefixes.push_back((prefix, jobs));
            }
            if job.is_some() {
                return job;
            }
        }
        None
    }

    fn is_full(&self, prefix: AddressPrefix) -> bool {
        let of_prefix = self.prefixes.iter().find(|(other, _)| *other == prefix);
        self.waiting >= OF_APP || of_prefix.is_some_and(|(_, jobs)| jobs.len() >= OF_PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Job, OF_APP, OF_PREFIX, Queue, Requester};
    use crate::limits::AddressPrefix;
    use std::net::Ipv4Addr;

    fn of(app: &str, network: u8) -> Requester<'_> {
        Requester { app, prefix: AddressPrefix::of(Ipv4Addr::new(192, 0, network, 1).into()) }
    }

    /// A job of the test; a name in upper case was abandoned.
    impl Job for &str {
        fn is_abandoned(&self) -> bool {
            self.starts_with(char::is_uppercase)
        }
    }

    #[test]
    fn apps_take_turns_and_so_do_the_networks_of_each() {
        let mut queue = Queue::default();
        for job in ["a1", "a1", "a1", "a2", "b1", "b1", "b2", "c1"] {
            assert!(queue.push(of(&job[..1], job.as_bytes()[1]), job));
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a1", "b1", "a1"]);
        assert_eq!(queue.waiting, 0);
    }

    #[test]
    fn no_network_and_no_app_takes_every_slot() {
        let mut queue = Queue::default();
        let mut fill = |app, network| (0..2 * ALL).filter(|_| queue.push(of(app, network), "open")).count();
        assert_eq!(fill("a", 1), OF_PREFIX);
        assert_eq!([fill("a", 2), fill("a", 3), fill("a", 4), fill("a", 5)], [64, 64, 64, 0]);
        assert_eq!(fill("b", 1), OF_PREFIX);
        assert_eq!(4 * OF_PREFIX, OF_APP);
    }

    #[test]
    fn abandoned_jobs_take_no_slot_and_no_turn() {
        let mut queue = Queue::default();
        for _ in 0..OF_PREFIX {
            assert!(queue.push(of("a", 1), "Gone"));
        }
        for job in ["first", "second"] {
            assert!(queue.push(of("a", 1), job));
        }
        for job in ["Gone", "Gone", "third"] {
            assert!(queue.push(of("a", 2), job));
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["first", "third", "second"]);
        assert_eq!((queue.waiting, queue.apps.len()), (0, 0));
    }
}
