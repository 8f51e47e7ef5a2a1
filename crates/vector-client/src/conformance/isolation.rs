use std::collections::BTreeMap;

use tenantry_domain::{DocumentVersion, Embedding, Filter, Fusion, Metadata, MetadataValue};

use super::fixture::{chunk, document, embedding, version};
use super::random::{HOSTILE, Random};
use super::store::Capabilities;
use super::subject::{Subject, top};
use crate::{IndexedChunk, Match, StoredVersion, VectorQuery, VectorStore};

/// What one index should hold.
type Model = BTreeMap<(DocumentVersion, u32), IndexedChunk>;

/// One index of the two tenants, with what it should hold and the word that all its texts have.
struct Side<'s> {
    subject: Subject<'s>,
    model: Model,
    marker: &'static str,
    /// Where its embeddings point to, and no other's: left or right.
    direction: f32,
}

const MARKERS: [&str; 2] = ["alphamarker", "betamarker"];

/// Checks that two tenants never see each other: random writes, removals and searches by hostile queries and filters, over
/// the same documents, versions, ordinals and hashes, in two generations each. Every answer is compared with what the index
/// should hold.
pub fn isolation(store: &dyn VectorStore, capabilities: Capabilities, seed: u64, steps: u32) {
    let mut random = Random::new(seed);
    // The second id begins as the first one, so that a prefix is no boundary.
    let places = [
        ("isolation", 1, 0),
        ("isolation-2", 1, 1),
        ("isolation", 2, 0),
        ("isolation-2", 2, 1),
    ];
    let mut sides = places.map(|(tenant, generation, who)| Side {
        subject: Subject::generation(store, tenant, generation),
        model: Model::new(),
        marker: MARKERS[who],
        direction: [1.0, -1.0][who],
    });
    let mut found = 0;
    for _ in 0..steps {
        let which = usize::try_from(random.below(4)).expect("it is an index");
        let side = &mut sides[which];
        match random.below(12) {
            0..=3 => side.write(&mut random, capabilities),
            4 if random.one_in(4) => side.clear(),
            4 | 5 => side.remove(&mut random),
            6 => side.reuse(&mut random),
            _ => found += side.search(&mut random, capabilities),
        }
        for side in &sides {
            side.check_contents();
        }
    }
    assert!(
        found > steps / 4,
        "only {found} chunks were found in {steps} steps of seed {seed}"
    );
}

impl Side<'_> {
    fn write(&mut self, random: &mut Random, capabilities: Capabilities) {
        let of = random_version(random);
        let many = 1 + random.below(4);
        let chunks: BTreeMap<_, _> = (0..many).map(|_| self.chunk(random, capabilities)).collect();
        let chunks: Vec<_> = chunks.into_values().collect();
        self.subject.put_with(of, &self.metadata(of), &chunks);
        for chunk in chunks {
            self.model.insert((of, chunk.chunk.ordinal), chunk);
        }
    }

    /// A chunk with the marker in everything that has words.
    fn chunk(&self, random: &mut Random, capabilities: Capabilities) -> (u32, IndexedChunk) {
        let hostile = random.pick(&HOSTILE).replace('\0', "");
        let ordinal = random.below(6);
        // The tenants share the hashes, and each makes its own embeddings of them.
        let hash = random.below(8);
        let bare = !capabilities.embeddings_required && random.one_in(5);
        let mut indexed = chunk(ordinal, &format!("{} {hostile} apples", self.marker), None);
        indexed.chunk.headings = vec![format!("{hostile} {}", self.marker)];
        indexed.context = format!("{} {hostile}", self.marker);
        indexed.hash = super::hash(&hash.to_string());
        indexed.embedding = (!bare).then(|| self.embedding(hash));
        (ordinal, indexed)
    }

    fn embedding(&self, hash: u32) -> Embedding {
        let angle = f32::from(u8::try_from(hash).expect("it is below 8")) / 10.0;
        embedding(&[self.direction, angle, 0.1])
    }

    /// The same for all of a version, and partly the same for both tenants.
    fn metadata(&self, of: DocumentVersion) -> Metadata {
        let mut random =
            Random::new(u64::from(of.version) + 17 * u64::from(of.document.as_uuid().as_bytes()[15]));
        let mut values: BTreeMap<_, _> = random
            .metadata()
            .iter()
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        values.insert("owner".to_owned(), MetadataValue::Text(self.marker.to_owned()));
        Metadata::new(values).expect("six keys are not too many")
    }

    fn remove(&mut self, random: &mut Random) {
        let of = random_version(random);
        let keep = random.one_in(2).then_some(of.version);
        let Subject { store, .. } = self.subject;
        store
            .remove(self.subject.index(), of.document, keep)
            .expect("removed");
        self.model
            .retain(|(other, _), _| other.document != of.document || Some(other.version) == keep);
    }

    fn clear(&mut self) {
        self.subject.store.clear(self.subject.index()).expect("cleared");
        self.model.clear();
    }

    fn reuse(&self, random: &mut Random) {
        let asked = random_version(random).document;
        let hashes: Vec<_> = (0..8).map(|hash: u32| super::hash(&hash.to_string())).collect();
        let found = self
            .subject
            .store
            .embeddings(self.subject.index(), asked, &hashes);
        let found = found.expect("answered");
        let own = |hash| {
            self.model.iter().any(|((of, _), chunk)| {
                of.document == asked && chunk.hash == hash && chunk.embedding.is_some()
            })
        };
        for (n, hash) in (0..).zip(hashes) {
            assert_eq!(found.contains_key(&hash), own(hash), "hash {n} of {asked:?}");
            if let Some(found) = found.get(&hash) {
                assert_same(found, &self.embedding(n));
            }
        }
    }

    /// Searches once, and gives how many chunks were found.
    fn search(&self, random: &mut Random, capabilities: Capabilities) -> u32 {
        let words = match random.below(4) {
            0 => MARKERS.join(" "),
            1 => format!("apples {}", random.pick(&HOSTILE)),
            _ => (*random.pick(&HOSTILE)).to_owned(),
        };
        let wanted = embedding(&[[1.0, -1.0][usize::from(random.one_in(2))], 0.3, 0.1]);
        let by_words = capabilities.lexical && random.one_in(3);
        let filter = random.one_in(2).then(|| hostile_filter(random));
        let query = VectorQuery {
            text: &words,
            embedding: (!by_words).then_some(&wanted),
            limit: top(*random.pick(&[1, 5, 1_000])),
            fusion: *random.pick(&[
                Fusion::default(),
                Fusion::new(60.0, 1.0, 0.0).expect("within the bounds"),
            ]),
            filter: filter.as_ref(),
            with_embeddings: random.one_in(2),
        };
        let found = self.subject.search(query);
        for found in &found {
            self.check_match(found, query);
        }
        if query.embedding.is_some() && query.limit == top(1_000) {
            self.check_all_found(&found, query.filter);
        }
        u32::try_from(found.len()).expect("at most 1,000")
    }

    fn check_match(&self, found: &Match, query: VectorQuery<'_>) {
        let of = (found.of, found.chunk.ordinal);
        let ours = self
            .model
            .get(&of)
            .unwrap_or_else(|| panic!("{found:?} is not of {}", self.marker));
        assert_eq!(found.chunk, ours.chunk);
        assert!(found.chunk.text.contains(self.marker), "{found:?}");
        let passes = query
            .filter
            .is_none_or(|filter| filter.matches(&self.metadata(found.of)));
        assert!(passes, "{found:?} does not pass {:?}", query.filter);
        match (&found.embedding, &ours.embedding) {
            (Some(found), Some(ours)) => assert_same(found, ours),
            (Some(found), None) => panic!("{found:?} was never stored"),
            (None, _) => {}
        }
    }

    /// A search by embedding that may find everything finds every chunk with an embedding that passes.
    fn check_all_found(&self, found: &[Match], filter: Option<&Filter>) {
        for ((of, ordinal), chunk) in &self.model {
            let passes = filter.is_none_or(|filter| filter.matches(&self.metadata(*of)));
            if passes && chunk.embedding.is_some() {
                let is_found = found
                    .iter()
                    .any(|found| (found.of, found.chunk.ordinal) == (*of, *ordinal));
                assert!(is_found, "{of:?} {ordinal} is missing for {filter:?}");
            }
        }
    }

    fn check_contents(&self) {
        let mut expected: BTreeMap<DocumentVersion, StoredVersion> = BTreeMap::new();
        for ((of, _), chunk) in &self.model {
            let none = StoredVersion {
                of: *of,
                chunks: 0,
                embedded: 0,
            };
            let stored = expected.entry(*of).or_insert(none);
            stored.chunks += 1;
            stored.embedded += u64::from(chunk.embedding.is_some());
        }
        assert_eq!(
            self.subject.contents(),
            expected.into_values().collect::<Vec<_>>()
        );
    }
}

fn random_version(random: &mut Random) -> DocumentVersion {
    let n = u8::try_from(random.below(3)).expect("it is below 3");
    version(n, 1 + random.below(3))
}

/// A filter at random that may ask for the other tenant's documents by name.
fn hostile_filter(random: &mut Random) -> Filter {
    let owner = MetadataValue::Text((*random.pick(&MARKERS)).to_owned());
    match random.below(4) {
        0 => Filter::Eq("owner".to_owned(), owner),
        1 => Filter::Or(vec![random.filter(), Filter::Ne("owner".to_owned(), owner)]),
        2 => Filter::Eq(
            "document".to_owned(),
            MetadataValue::Text(document(1).to_string()),
        ),
        _ => random.filter(),
    }
}

fn assert_same(found: &Embedding, stored: &Embedding) {
    let cosine = found.cosine(stored).expect("of one dimension");
    assert!(cosine > 0.999_9, "another embedding: {cosine}");
}
