//! How fast a text is split: the reading and indexing of large files waits for it.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tenantry_domain::{Segment, TextFormat};
use tenantry_retrieval::Splitter;

/// A segment of 16 KiB with headings and paragraphs.
fn segment() -> Segment {
    let mut text = String::new();
    for n in 0_u32.. {
        let sentence =
            "Whoever brings a thing back late pays three euros for each day, and loses the deposit. ";
        write!(text, "## Rule {n}\n\n{}\n\n", sentence.repeat(6)).unwrap_or_default();
        if text.len() > 15 << 10 {
            break;
        }
    }
    Segment {
        ordinal: 0,
        start: 0,
        text,
        headings: Vec::new(),
        pages: Vec::new(),
    }
}

fn splitting(criterion: &mut Criterion) {
    let (splitter, segment) = (Splitter::new(), segment());
    let mut group = criterion.benchmark_group("split");
    let bytes = u64::try_from(segment.text.len()).unwrap_or_default();
    group.throughput(Throughput::Bytes(bytes)).sample_size(20);
    for (name, format) in [("plain", TextFormat::Plain), ("markdown", TextFormat::Markdown)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(splitter.split(format, black_box(&segment), 0)));
        });
    }
    group.finish();
}

criterion_group!(benches, splitting);
criterion_main!(benches);
