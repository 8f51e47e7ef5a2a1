use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tenantry_domain::{ChunkHash, DocumentId, DocumentVersion, Embedding, IndexScope, Metadata, TopK};

use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore, fusion};

/// Searches by embedding in one store and by words in another one, as one store: for a service that knows no words.
///
/// Both stores get every chunk, the lexical one without its embedding. A crash between the two leaves a version that is
/// short in one of them: [`VectorStore::contents`] and [`VectorStore::count`] tell what both have, so that comparing them
/// with the records shows it, and writing or removing it again repairs it. A match that only its words found brings no
/// embedding, though the query asks for one.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_vector_client::{HybridStore, MemoryVectorStore, VectorStore};
///
/// let (service, words) = (MemoryVectorStore::default(), MemoryVectorStore::default());
/// let store: Arc<dyn VectorStore> = Arc::new(HybridStore::new(Arc::new(service), Arc::new(words)));
/// ```
pub struct HybridStore {
    dense: Arc<dyn VectorStore>,
    lexical: Arc<dyn VectorStore>,
}

type Key = (DocumentVersion, u32);

impl HybridStore {
    /// One store of the two: `dense` is searched by embeddings only, `lexical` by words only.
    pub fn new(dense: Arc<dyn VectorStore>, lexical: Arc<dyn VectorStore>) -> Self {
        Self { dense, lexical }
    }

    fn by_embedding(
        &self,
        index: IndexScope<'_>,
        query: VectorQuery<'_>,
    ) -> Result<Option<Vec<Match>>, VectorError> {
        if query.embedding.is_none() {
            return Ok(None);
        }
        let found = self.dense.search(index, VectorQuery { text: "", ..query })?;
        Ok(Some(found))
    }

    fn by_words(
        &self,
        index: IndexScope<'_>,
        query: VectorQuery<'_>,
    ) -> Result<Option<Vec<Match>>, VectorError> {
        if crate::terms::query_terms(query.text).is_empty() {
            return Ok(None);
        }
        let query = VectorQuery {
            embedding: None,
            with_embeddings: false,
            ..query
        };
        self.lexical.search(index, query).map(Some)
    }
}

/// The places of a store's matches with the score that they have there, best first.
fn ranking(found: &[Match], score: impl Fn(&Match) -> Option<f32>) -> Vec<(Key, f32)> {
    let scored = found.iter().filter_map(|found| Some((key(found), score(found)?)));
    let mut ranking: Vec<_> = scored.collect();
    fusion::rank(&mut ranking);
    ranking
}

fn key(found: &Match) -> Key {
    (found.of, found.chunk.ordinal)
}

impl VectorStore for HybridStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        // The dense store is the one that refuses: of another dimension, or without an embedding.
        self.dense.upsert(index, of, metadata, chunks)?;
        let words: Vec<_> = chunks
            .iter()
            .map(|indexed| IndexedChunk {
                chunk: indexed.chunk.clone(),
                context: indexed.context.clone(),
                hash: indexed.hash,
                embedding: None,
            })
            .collect();
        self.lexical.upsert(index, of, metadata, &words)
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let wide = VectorQuery {
            limit: TopK::clamp(fusion::candidates(query.limit)),
            ..query
        };
        let dense = self.by_embedding(index, wide)?;
        let lexical = self.by_words(index, wide)?;
        let by_embedding = dense
            .as_deref()
            .map(|found| ranking(found, |found| found.score.dense));
        let by_words = lexical
            .as_deref()
            .map(|found| ranking(found, |found| found.score.lexical));
        let fused = fusion::fuse(
            query.fusion,
            by_embedding.as_deref(),
            by_words.as_deref(),
            query.limit,
        );
        // The dense store's matches come last, because they bring the embeddings.
        let found = lexical.into_iter().chain(dense).flatten();
        let mut found: HashMap<Key, Match> = found.map(|found| (key(&found), found)).collect();
        let matches = fused.into_iter().filter_map(|(key, score)| {
            let found = found.remove(&key)?;
            Some(Match { score, ..found })
        });
        Ok(matches.collect())
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.dense.embeddings(index, document, hashes)
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        // What can go goes, also while the other store refuses its key.
        let removed = self.lexical.remove(index, document, keep);
        self.dense.remove(index, document, keep).and(removed)
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        let cleared = self.lexical.clear(index);
        self.dense.clear(index).and(cleared)
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        Ok(self.dense.count(index)?.min(self.lexical.count(index)?))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        let by_version = |stored: Vec<StoredVersion>| -> BTreeMap<_, _> {
            stored.into_iter().map(|stored| (stored.of, stored)).collect()
        };
        let dense = by_version(self.dense.contents(index)?);
        let lexical = by_version(self.lexical.contents(index)?);
        let versions: BTreeSet<_> = dense.keys().chain(lexical.keys()).copied().collect();
        let in_both = |of| {
            let (dense, lexical) = (dense.get(&of), lexical.get(&of));
            let chunks = dense
                .zip(lexical)
                .map_or(0, |(dense, lexical)| dense.chunks.min(lexical.chunks));
            let embedded = dense.map_or(0, |dense| dense.embedded).min(chunks);
            StoredVersion { of, chunks, embedded }
        };
        Ok(versions.into_iter().map(in_both).collect())
    }
}

impl std::fmt::Debug for HybridStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HybridStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Generation;

    use super::*;
    use crate::MemoryVectorStore;
    use crate::conformance::{self, Capabilities, chunk, embedding, scope, version};
    use crate::testing::{FailingVectorStore, Moment, Operation};

    /// A store as remote services are: it knows no words, and takes no chunk without an embedding of three numbers.
    #[derive(Debug, Default)]
    struct DenseOnly(MemoryVectorStore);

    impl VectorStore for DenseOnly {
        fn upsert(
            &self,
            index: IndexScope<'_>,
            of: DocumentVersion,
            metadata: &Metadata,
            chunks: &[IndexedChunk],
        ) -> Result<(), VectorError> {
            if chunks.iter().any(|chunk| chunk.embedding.is_none()) {
                return Err(VectorError::EmbeddingRequired);
            }
            self.0.upsert(index, of, metadata, chunks)
        }

        fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
            if query.embedding.is_none() {
                return Err(VectorError::EmbeddingRequired);
            }
            self.0.search(index, VectorQuery { text: "", ..query })
        }

        fn embeddings(
            &self,
            index: IndexScope<'_>,
            document: DocumentId,
            hashes: &[ChunkHash],
        ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
            self.0.embeddings(index, document, hashes)
        }

        fn remove(
            &self,
            index: IndexScope<'_>,
            document: DocumentId,
            keep: Option<u32>,
        ) -> Result<(), VectorError> {
            self.0.remove(index, document, keep)
        }

        fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
            self.0.clear(index)
        }

        fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
            self.0.count(index)
        }

        fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
            self.0.contents(index)
        }
    }

    const OF_A_SERVICE: Capabilities = Capabilities {
        lexical: true,
        embeddings_required: true,
    };

    fn of_a_service() -> HybridStore {
        HybridStore::new(
            Arc::new(DenseOnly::default()),
            Arc::new(MemoryVectorStore::default()),
        )
    }

    #[test]
    fn the_stand_in_keeps_the_promises_of_a_vector_store() {
        conformance::vector_store(&DenseOnly::default(), Capabilities::DENSE);
    }

    #[test]
    fn it_keeps_the_promises_of_a_vector_store() {
        conformance::vector_store(&of_a_service(), OF_A_SERVICE);
        let memory = || Arc::new(MemoryVectorStore::default());
        conformance::vector_store(&HybridStore::new(memory(), memory()), Capabilities::HYBRID);
    }

    #[test]
    fn no_tenant_sees_another_one_s() {
        conformance::isolation(&of_a_service(), OF_A_SERVICE, 1, 300);
    }

    /// What a search of both rankings finds is what one store that knows both would find.
    #[test]
    fn it_finds_what_one_store_would() {
        let (one, two) = (MemoryVectorStore::default(), of_a_service());
        let acme = scope("acme");
        let index = acme.index(Generation::FIRST);
        let texts = [
            "apples and pears",
            "pears",
            "plums",
            "apples",
            "bread, butter and apples",
        ];
        let chunks: Vec<_> = (0_u32..)
            .zip(texts)
            .zip([0.1_f32, 0.9, 0.4, 1.3, 0.2])
            .map(|((n, text), angle)| chunk(n, text, Some(&[angle.cos(), angle.sin()])))
            .collect();
        let stores: [&dyn VectorStore; 2] = [&one, &two];
        for store in stores {
            store
                .upsert(index, version(1, 1), &Metadata::default(), &chunks)
                .unwrap();
        }
        let wanted = embedding(&[0.9, 0.3]);
        for embedding in [None, Some(&wanted)] {
            let query = VectorQuery {
                embedding,
                with_embeddings: true,
                ..VectorQuery::words("pears or apples", TopK::new(4).unwrap())
            };
            let found = one.search(index, query).unwrap();
            assert_eq!(found.len(), 4);
            let mut expected = two.search(index, query).unwrap();
            if embedding.is_none() {
                // By words alone the embeddings are not at hand.
                for (expected, found) in expected.iter_mut().zip(&found) {
                    assert_eq!(expected.embedding, None);
                    expected.embedding.clone_from(&found.embedding);
                }
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_crash_between_the_two_shows_in_the_contents_and_the_same_call_repairs_it() {
        for side in 0..2 {
            for (operation, moment) in [
                (Operation::Upsert, Moment::Before),
                (Operation::Upsert, Moment::After),
                (Operation::Remove, Moment::Before),
                (Operation::Clear, Moment::Before),
            ] {
                let stores = [(); 2]
                    .map(|()| Arc::new(FailingVectorStore::new(Arc::new(MemoryVectorStore::default()))));
                let store = HybridStore::new(stores[0].clone(), stores[1].clone());
                let acme = scope("acme");
                let index = acme.index(Generation::FIRST);
                let two = [chunk(0, "apples", Some(&[1.0])), chunk(1, "pears", Some(&[1.0]))];
                let put = || store.upsert(index, version(1, 1), &Metadata::default(), &two);
                let call = || match operation {
                    Operation::Upsert => put(),
                    Operation::Remove => store.remove(index, version(1, 1).document, None),
                    _ => store.clear(index),
                };
                let contents = || -> Vec<_> {
                    let contents = store.contents(index).unwrap();
                    contents
                        .iter()
                        .map(|stored| (stored.chunks, stored.embedded))
                        .collect()
                };
                if operation != Operation::Upsert {
                    put().unwrap();
                }
                stores[side].fail_nth(operation, 1, moment, VectorError::Unavailable("scripted".into()));
                call().unwrap_err();
                let (whole, nothing) = (contents() == [(2, 2)], contents().is_empty());
                let in_one_alone = contents() == [(0, 0)];
                assert_eq!(store.count(index).unwrap() == 0, !whole);
                let both_or_none = match (operation, side, moment) {
                    (Operation::Upsert, 0, Moment::Before) => nothing,
                    (Operation::Upsert, 1, Moment::After) => whole,
                    _ => in_one_alone,
                };
                assert!(
                    both_or_none,
                    "{operation:?} {moment:?} of {side}: {:?}",
                    contents()
                );
                call().unwrap();
                assert_eq!(contents() == [(2, 2)], operation == Operation::Upsert);
            }
        }
    }

    #[test]
    fn words_go_also_when_the_service_refuses_its_key() {
        let service = FailingVectorStore::new(Arc::new(DenseOnly::default()));
        let words = Arc::new(MemoryVectorStore::default());
        for operation in [Operation::Remove, Operation::Clear] {
            let refusal = VectorError::Unauthorized("scripted".into());
            service.fail_nth(operation, 1, Moment::Before, refusal);
        }
        let store = HybridStore::new(Arc::new(service), words.clone());
        let acme = scope("acme");
        let index = acme.index(Generation::FIRST);
        let put = || {
            let chunks = [chunk(0, "late fees", Some(&[1.0, 0.0, 0.0]))];
            store
                .upsert(index, version(1, 1), &Metadata::default(), &chunks)
                .unwrap();
            assert_eq!(words.count(index).unwrap(), 1);
        };
        put();
        assert!(store.remove(index, version(1, 1).document, None).is_err());
        assert_eq!(words.count(index).unwrap(), 0);
        put();
        assert!(store.clear(index).is_err());
        assert_eq!(words.count(index).unwrap(), 0);
    }
}
