use crate::lock::lock;
use crate::{App, Clock, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// The time that a cached app is used. Another instance may have changed the app meanwhile; a change by this instance is
/// used at once.
const REUSE_TIME: Duration = Duration::from_secs(1);

/// The minimum time between two stored uses of an app.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// A cache of the apps in use, so that not every request reads its app from the database.
pub(crate) struct AppCache {
    store: Store,
    clock: Arc<dyn Clock>,
    apps: RwLock<Recent<Arc<App>>>,
    /// The first seconds whose tokens the revocations of whole apps accept.
    first_seconds: RwLock<Recent<u64>>,
    /// The time when this process last stored a use of an app.
    touched: Mutex<HashMap<String, Duration>>,
}

/// Values of apps that were read a short time ago.
struct Recent<T> {
    /// By the app's id: the value, and the time when its read began.
    by_id: HashMap<String, (T, Duration)>,
    /// The number of changes: a value that was read before a change must not be stored after it.
    changes: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), changes: 0 }
    }
}

impl<T: Clone> Recent<T> {
    /// Returns the value, if it was read recently enough.
    fn get(&self, id: &str, now: Duration) -> Option<T> {
        let (value, read_at) = self.by_id.get(id)?;
        is_recent(*read_at, now, REUSE_TIME).then(|| value.clone())
    }

    /// Returns the value, if it was read recently enough, else the number of changes, for [`keep`](Self::keep) after the
    /// read.
    fn get_or_changes(&self, id: &str, now: Duration) -> Result<T, u64> {
        self.get(id, now).ok_or(self.changes)
    }

    /// Stores a value that was read after `changes` changes. A value that was changed since is not stored.
    fn keep(&mut self, id: &str, value: T, read_at: Duration, changes: u64) {
        if self.changes == changes {
            self.by_id.insert(id.to_owned(), (value, read_at));
        }
    }

    fn forget(&mut self, id: &str) {
        self.changes += 1;
        self.by_id.remove(id);
    }

    fn forget_unused(&mut self, now: Duration) {
        self.by_id.retain(|_, (_, read_at)| is_recent(*read_at, now, REUSE_TIME));
        self.by_id.shrink_to_fit();
    }
}

fn read<T>(recent: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    recent.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(recent: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    recent.write().unwrap_or_else(PoisonError::into_inner)
}

impl AppCache {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        let (apps, first_seconds, touched) = Default::default();
        Self { store, clock, apps, first_seconds, touched }
    }

    /// Returns the app with this id. Unknown ids are not cached: anyone can invent any number of them.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<App>>, StoreError> {
        let now = self.clock.elapsed();
        let recent = read(&self.apps).get_or_changes(id, now);
        let changes = match recent {
            Ok(app) => return Ok(Some(app)),
            Err(changes) => changes,
        };
        let app = self.store.find_app(id).await?.map(Arc::new);
        if let Some(app) = &app {
            write(&self.apps).keep(id, app.clone(), now, changes);
        }
        Ok(app)
    }

    /// Returns whether [`find`](Self::find) would return without the database.
    pub(crate) fn has(&self, id: &str) -> bool {
        read(&self.apps).get(id, self.clock.elapsed()).is_some()
    }

    /// Returns the first second, in Unix seconds, whose tokens the revocation of all sessions of an app that exists accepts;
    /// 0 if there is no such revocation.
    pub(crate) async fn first_accepted_second(&self, id: &str) -> Result<u64, StoreError> {
        let now = self.clock.elapsed();
        let recent = read(&self.first_seconds).get_or_changes(id, now);
        let changes = match recent {
            Ok(second) => return Ok(second),
            Err(changes) => changes,
        };
        let revocation = self.store.find_revocation_of_app(id).await?;
        let second = revocation.map_or(0, |revocation| revocation.first_accepted_second());
        write(&self.first_seconds).keep(id, second, now, changes);
        Ok(second)
    }

    /// Removes an app and its revocation, after this instance changed one of them.
    pub(crate) fn forget(&self, id: &str) {
        write(&self.apps).forget(id);
        write(&self.first_seconds).forget(id);
    }

    /// Returns whether the caller should store that the app is used: at most one caller a minute.
    pub(crate) fn claim_touch(&self, id: &str) -> bool {
        let now = self.clock.elapsed();
        let mut touched = lock(&self.touched);
        match touched.get(id) {
            Some(at) if is_recent(*at, now, TOUCH_INTERVAL) => false,
            _ => {
                touched.insert(id.to_owned(), now);
                true
            }
        }
    }

    /// Removes the apps without recent requests.
    pub(crate) fn forget_unused(&self) {
        let now = self.clock.elapsed();
        write(&self.apps).forget_unused(now);
        write(&self.first_seconds).forget_unused(now);
        let mut touched = lock(&self.touched);
        touched.retain(|_, at| is_recent(*at, now, TOUCH_INTERVAL));
    }
}

fn is_recent(at: Duration, now: Duration, limit: Duration) -> bool {
    now.saturating_sub(at) < limit
}

#[cfg(test)]
mod tests {
    use super::AppCache;
    use crate::{App, AppConfig, Store, SystemClock};
    use jiff::Timestamp;
    use std::sync::Arc;
    use std::time::Duration;

    fn app() -> Arc<App> {
        let config = AppConfig::Api {};
        let now = Timestamp::UNIX_EPOCH;
        Arc::new(App {
            id: "app_1".to_owned(),
            tenant_id: "acme".to_owned(),
            project_id: "docs".to_owned(),
            name: "Docs".to_owned(),
            description: None,
            r#type: config.app_type(),
            default_agent_id: None,
            prompt: None,
            enabled: true,
            config,
            last_used_at: None,
            created_at: now,
            updated_at: now,
        })
    }

    async fn cache() -> AppCache {
        let store = Store::open("sqlite::memory:").await.unwrap();
        AppCache::new(store, Arc::new(SystemClock::default()))
    }

    /// The read began before the change and ends after it.
    #[tokio::test]
    async fn an_app_that_was_changed_while_it_was_read_is_not_kept() {
        let cache = cache().await;
        let changes = cache.apps.read().unwrap().changes;
        cache.forget("app_1");
        cache.apps.write().unwrap().keep("app_1", app(), Duration::ZERO, changes);
        assert!(cache.find("app_1").await.unwrap().is_none(), "the database has none");
        let changes = cache.apps.read().unwrap().changes;
        cache.apps.write().unwrap().keep("app_1", app(), Duration::ZERO, changes);
        assert!(cache.find("app_1").await.unwrap().is_some(), "it is kept");
    }

    #[tokio::test]
    async fn of_many_sessions_one_stores_that_the_app_is_used() {
        let cache = cache().await;
        let claims = (0..100).filter(|_| cache.claim_touch("app_1")).count();
        assert_eq!(claims, 1);
        assert!(cache.claim_touch("app_2"));
    }
}
