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

impl<T> Queue<T> {
    /// Adds a job. Returns whether there was a free slot.
    pub(super) fn push(&mut self, Requester { app, prefix }: Requester<'_>, job: T) -> bool {
        if self.waiting >= ALL {
            return false;
        }
        match self.apps.iter_mut().find(|queue| queue.app == app) {
            Some(queue) => {
                if !queue.push(prefix, job) {
                    return false;
                }
            }
            None => {
                let prefixes = VecDeque::from([(prefix, VecDeque::from([job]))]);
                self.apps.push_back(AppQueue { app: app.to_owned(), prefixes, waiting: 1 });
            }
        }
        self.waiting += 1;
        true
    }

    /// Removes the next job.
    pub(super) fn pop(&mut self) -> Option<T> {
        let mut queue = self.apps.pop_front()?;
        let job = queue.pop()?;
        self.waiting -= 1;
        if queue.waiting > 0 {
            self.apps.push_back(queue);
        }
        Some(job)
    }
}

impl<T> AppQueue<T> {
    fn push(&mut self, prefix: AddressPrefix, job: T) -> bool {
        if self.waiting >= OF_APP {
            return false;
        }
        match self.prefixes.iter_mut().find(|(other, _)| *other == prefix) {
            Some((_, jobs)) if jobs.len() >= OF_PREFIX => return false,
            Some((_, jobs)) => jobs.push_back(job),
            None => self.prefixes.push_back((prefix, VecDeque::from([job]))),
        }
        self.waiting += 1;
        true
    }

    fn pop(&mut self) -> Option<T> {
        let (prefix, mut jobs) = self.prefixes.pop_front()?;
        let job = jobs.pop_front()?;
        self.waiting -= 1;
        if !jobs.is_empty() {
            self.prefixes.push_back((prefix, jobs));
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, OF_APP, OF_PREFIX, Queue, Requester};
    use crate::limits::AddressPrefix;
    use std::net::Ipv4Addr;

    fn of(app: &str, network: u8) -> Requester<'_> {
        Requester { app, prefix: AddressPrefix::of(Ipv4Addr::new(192, 0, network, 1).into()) }
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
        let mut fill = |app, network| (0..2 * ALL).filter(|_| queue.push(of(app, network), ())).count();
        assert_eq!(fill("a", 1), OF_PREFIX);
        assert_eq!([fill("a", 2), fill("a", 3), fill("a", 4), fill("a", 5)], [64, 64, 64, 0]);
        assert_eq!(fill("b", 1), OF_PREFIX);
        assert_eq!(4 * OF_PREFIX, OF_APP);
    }
}
