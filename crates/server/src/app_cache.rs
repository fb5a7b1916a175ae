use crate::{App, Clock, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How long an app that was read is used. Another instance may have changed it meanwhile; a change by this instance is
/// used at once.
const REUSE_TIME: Duration = Duration::from_secs(1);

/// How often it is stored that an app is used.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// The apps that are in use, so that not every request asks the database for the same one.
pub(crate) struct AppCache {
    store: Store,
    clock: Arc<dyn Clock>,
    apps: RwLock<Entries>,
    /// When this process last stored that an app is used.
    touched: Mutex<HashMap<String, Duration>>,
}

#[derive(Default)]
struct Entries {
    by_id: HashMap<String, Entry>,
    /// Counts the changes: what was read before one must not be kept after it.
    changes: u64,
}

impl Entries {
    /// Returns the app, if it was read recently enough to be used.
    fn recent(&self, id: &str, now: Duration) -> Option<&Arc<App>> {
        let entry = self.by_id.get(id)?;
        is_recent(entry.read_at, now, REUSE_TIME).then_some(&entry.app)
    }
}

struct Entry {
    app: Arc<App>,
    read_at: Duration,
}

impl AppCache {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, apps: RwLock::default(), touched: Mutex::default() }
    }

    /// Returns the app with this id. Unknown ids are not remembered: anyone can invent any number of those.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<App>>, StoreError> {
        let now = self.clock.elapsed();
        let changes = {
            let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(app) = apps.recent(id, now) {
                return Ok(Some(app.clone()));
            }
            apps.changes
        };
        let app = self.store.find_app(id).await?.map(Arc::new);
        if let Some(app) = &app {
            self.keep(app, now, changes);
        }
        Ok(app)
    }

    /// Returns whether [`find`](Self::find) would answer without the database.
    pub(crate) fn has(&self, id: &str) -> bool {
        let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
        apps.recent(id, self.clock.elapsed()).is_some()
    }

    /// Keeps an app that was read when `changes` changes had been made. One that was changed since is not kept.
    fn keep(&self, app: &Arc<App>, read_at: Duration, changes: u64) {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if apps.changes == changes {
            apps.by_id.insert(app.id.clone(), Entry { app: app.clone(), read_at });
        }
    }

    /// Reads an app anew the next time: this instance changed it.
    pub(crate) fn forget(&self, id: &str) {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        apps.changes += 1;
        apps.by_id.remove(id);
    }

    /// Returns whether the caller should store that the app is used: one caller a minute, however many there are.
    pub(crate) fn claim_touch(&self, id: &str) -> bool {
        let now = self.clock.elapsed();
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        match touched.get(id) {
            Some(at) if is_recent(*at, now, TOUCH_INTERVAL) => false,
            _ => {
                touched.insert(id.to_owned(), now);
                true
            }
        }
    }

    /// Forgets the apps that nobody asked for recently.
    pub(crate) fn forget_unused(&self) {
        let now = self.clock.elapsed();
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        apps.by_id.retain(|_, entry| is_recent(entry.read_at, now, REUSE_TIME));
        apps.by_id.shrink_to_fit();
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
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
        cache.keep(&app(), Duration::ZERO, changes);
        assert!(cache.find("app_1").await.unwrap().is_none(), "the database has none");
        let changes = cache.apps.read().unwrap().changes;
        cache.keep(&app(), Duration::ZERO, changes);
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
