//! Pages of lists.

/// One page of a list, and the length of the list.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: u64,
}

/// The requested part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest {
    /// The page, from 1.
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
