use crate::{App, Clock, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How long an app is believed to be as it was read. Another instance may have changed it meanwhile; what this one
/// changes it knows at once.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The apps that are in use, so that not every request asks the database for the same one.
pub(crate) struct AppCache {
    store: Store,
    clock: Arc<dyn Clock>,
    apps: RwLock<HashMap<String, Entry>>,
}

struct Entry {
    app: Arc<App>,
    read_at: Duration,
}

impl AppCache {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, apps: RwLock::default() }
    }

    /// The app with this id. Ids that are none are not remembered: anyone can make up any number of those.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<App>>, StoreError> {
        let now = self.clock.elapsed();
        let known = self
            .apps
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .and_then(|entry| (now.saturating_sub(entry.read_at) < GOOD_FOR).then(|| entry.app.clone()));
        if known.is_some() {
            return Ok(known);
        }
        let Some(app) = self.store.find_app(id).await? else {
            return Ok(None);
        };
        let app = Arc::new(app);
        let entry = Entry { app: app.clone(), read_at: now };
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), entry);
        Ok(Some(app))
    }

    /// Reads an app anew the next time: it was changed here.
    pub(crate) fn forget(&self, id: &str) {
        self.apps.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Forgets the apps that nobody asked for of late.
    pub(crate) fn forget_unused(&self) {
        let now = self.clock.elapsed();
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        apps.retain(|_, entry| now.saturating_sub(entry.read_at) < GOOD_FOR);
        apps.shrink_to_fit();
    }
}
