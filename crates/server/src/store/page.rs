//! Pages of lists.

/// One page of a list, and how long the whole is.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: u64,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest {
    /// The first is 1.
    pub(crate) page: u32,
    pub(crate) limit: u32,
}

impl PageRequest {
    pub(super) fn limit(self) -> i64 {
        self.limit.into()
    }

    pub(super) fn offset(self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.limit)
    }
}
