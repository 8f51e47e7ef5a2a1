/// A window on a list: `limit` 1 to 100 entries from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    limit: u32,
    offset: u32,
}

/// A window that no list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a page holds between 1 and {max} entries and starts below 2147483648", max = Page::MAX_LIMIT)]
pub struct PageOutOfRange;

impl Page {
    /// The largest page.
    pub const MAX_LIMIT: u32 = 100;

    /// A window of `limit` entries from `offset` on.
    ///
    /// # Errors
    /// When `limit` is 0 or above [`Page::MAX_LIMIT`], or `offset` does not fit a database's integer.
    pub fn new(limit: u32, offset: u32) -> Result<Self, PageOutOfRange> {
        if (1..=Self::MAX_LIMIT).contains(&limit) && i32::try_from(offset).is_ok() {
            Ok(Self { limit, offset })
        } else {
            Err(PageOutOfRange)
        }
    }

    /// How many entries at most.
    pub fn limit(self) -> u32 {
        self.limit
    }

    /// How many entries are skipped.
    pub fn offset(self) -> u32 {
        self.offset
    }

    /// The window after this one; `None` past the last that a database can count to.
    pub fn next(self) -> Option<Self> {
        Self::new(self.limit, self.offset.checked_add(self.limit)?).ok()
    }
}

impl Default for Page {
    /// The first 50 entries.
    fn default() -> Self {
        Self { limit: 50, offset: 0 }
    }
}

/// One page of a list, with the length of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The page's entries.
    pub items: Vec<T>,
    /// How many entries the whole list has.
    pub total: u64,
}

impl<T> Paged<T> {
    /// The same page with every entry converted by `f`.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            items: self.items.into_iter().map(f).collect(),
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_neither_empty_nor_endless() {
        assert_eq!(Page::new(0, 0), Err(PageOutOfRange));
        assert_eq!(Page::new(101, 0), Err(PageOutOfRange));
        assert_eq!(Page::new(1, u32::MAX), Err(PageOutOfRange));
        let page = Page::new(100, 7).unwrap();
        assert_eq!(
            (page.limit(), page.offset(), page.next().map(Page::offset)),
            (100, 7, Some(107))
        );
    }
}
