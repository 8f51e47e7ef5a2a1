//! Listing the ids of a namespace, page by page.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::index::Index;
use super::wire::Listing;
use crate::VectorError;

/// The most pages, of 100 ids each, that one listing reads: two million records.
const MAX_PAGES: usize = 20_000;

impl Index {
    /// Hands every id that begins with `prefix` to `take`, which may end it.
    ///
    /// # Errors
    /// [`VectorError::Unavailable`] when a page comes again, [`VectorError::Refused`] above two million ids, and when the
    /// service fails; what came before was handed over.
    pub(super) fn list(
        &self,
        namespace: &str,
        prefix: &str,
        mut take: impl FnMut(String) -> ControlFlow<()>,
    ) -> Result<(), VectorError> {
        let (mut token, mut seen) = (None::<String>, HashSet::new());
        for _ in 0..MAX_PAGES {
            let Some(page) = self.page(namespace, prefix, token.as_deref())? else {
                return Ok(());
            };
            // Only what was asked for may be touched, whatever was listed.
            let listed = page.vectors.into_iter().map(|listed| listed.id);
            if listed
                .filter(|id| id.starts_with(prefix))
                .try_for_each(&mut take)
                .is_break()
            {
                return Ok(());
            }
            let next = page.pagination.and_then(|pagination| pagination.next);
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(()),
                Some(next) if !seen.insert(next.clone()) => {
                    return Err(VectorError::Unavailable(
                        "the listing of records repeats a page".into(),
                    ));
                }
                next => token = next,
            }
        }
        Err(VectorError::Refused("the listing of records does not end".into()))
    }

    /// One page of the ids that begin with `prefix`; `None` where the namespace does not exist.
    fn page(
        &self,
        namespace: &str,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<Option<Listing>, VectorError> {
        let mut query = vec![("namespace", namespace), ("limit", "100")];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(token.map(|token| ("paginationToken", token)));
        let response = self.ask(&self.get(&["vectors", "list"], &query))?;
        response.map(|response| self.decode(&response)).transpose()
    }
}
