//! Prints how well a judged collection is searched: by words, by embedding, and by both.
//!
//! ```text
//! cargo bench --bench quality -- FOLDER [--model FOLDER] [--k K] [--dense-weight W]
//! ```
//!
//! `FOLDER` has `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`. Documents go the way of every document: split, embedded, and kept in
//! the embedded store. A document ranks by its best chunk. In the hybrid figures a query in a language that the model does not read is
//! searched by words alone, as the server does; in the dense ones every query is embedded. Without a model, words alone are measured.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench shows what it measured"
)]

mod collection;
mod knowledge;
mod metrics;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tenantry_domain::{Embedding, Fusion};

use knowledge::Knowledge;
use metrics::{Judgements, mean, ndcg, recall};

/// How many documents a ranking has.
const DEPTH: usize = 100;

#[derive(Debug, Parser)]
struct Options {
    /// The collection's folder.
    folder: PathBuf,
    /// The folder of the local embedding model.
    #[arg(long)]
    model: Option<PathBuf>,
    /// The constant of the fusion.
    #[arg(long, default_value_t = Fusion::default().k())]
    k: f32,
    /// The weight of the dense ranking in the fusion.
    #[arg(long, default_value_t = Fusion::default().dense_weight())]
    dense_weight: f32,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A way to search.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    fusion: Fusion,
    embeds: Embeds,
}

/// Which queries are embedded.
#[derive(Clone, Copy, PartialEq)]
enum Embeds {
    Nothing,
    WhatTheModelReads,
    Everything,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("quality: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let fusion = |dense, lexical| Fusion::new(options.k, dense, lexical).map_err(|error| error.to_string());
    let mut ways = vec![Way {
        name: "lexical",
        fusion: fusion(0.0, 1.0)?,
        embeds: Embeds::Nothing,
    }];
    if options.model.is_some() {
        ways.push(Way {
            name: "dense",
            fusion: fusion(1.0, 0.0)?,
            embeds: Embeds::Everything,
        });
        ways.push(Way {
            name: "hybrid",
            fusion: fusion(options.dense_weight, 1.0)?,
            embeds: Embeds::WhatTheModelReads,
        });
    } else {
        println!("without --model only words are searched");
    }
    let queries = collection::queries(&options.folder)?;
    let knowledge = Knowledge::new(options.model.as_deref())?;
    let begun = Instant::now();
    let counts = knowledge.fill(&options.folder)?;
    println!(
        "{} documents, {} chunks, {} judged queries; taken in after {:.0} s",
        counts.documents,
        counts.chunks,
        queries.len(),
        begun.elapsed().as_secs_f64()
    );
    let texts: Vec<&str> = queries.iter().map(|(query, _)| query.text.as_str()).collect();
    let embeddings = knowledge.embed(&texts)?;
    println!("{:8}  nDCG@10  Recall@10  Recall@100  ms a query", "");
    for way in ways {
        measure(&knowledge, way, &queries, &embeddings)?;
    }
    Ok(())
}

/// Prints a line about one way to search.
fn measure(
    knowledge: &Knowledge,
    way: Way,
    queries: &[(collection::Query, Judgements)],
    embeddings: &[(Option<Embedding>, bool)],
) -> Result<(), String> {
    let mut columns = [const { Vec::<f64>::new() }; 3];
    let mut lexical_alone = 0_usize;
    let begun = Instant::now();
    for ((query, judged), (embedding, understood)) in queries.iter().zip(embeddings) {
        let embedded = match way.embeds {
            Embeds::Nothing => false,
            Embeds::WhatTheModelReads => *understood,
            Embeds::Everything => true,
        };
        let embedding = embedding.as_ref().filter(|_| embedded);
        lexical_alone += usize::from(way.embeds == Embeds::WhatTheModelReads && embedding.is_none());
        let ranking = knowledge.search(&query.text, embedding, way.fusion, DEPTH)?;
        let [ndcg_10, recall_10, recall_100] = &mut columns;
        ndcg_10.push(ndcg(&ranking, judged, 10));
        recall_10.push(recall(&ranking, judged, 10));
        recall_100.push(recall(&ranking, judged, DEPTH));
    }
    let milliseconds =
        begun.elapsed().as_secs_f64() * 1_000.0 / f64::from(u32::try_from(queries.len()).unwrap_or(1));
    let [ndcg_10, recall_10, recall_100] = columns.each_ref().map(|column| mean(column));
    print!(
        "{:8}  {ndcg_10:7.4}  {recall_10:9.4}  {recall_100:10.4}  {milliseconds:10.2}",
        way.name
    );
    if lexical_alone > 0 {
        print!("  ({lexical_alone} queries by words alone: the model does not read their language)");
    }
    println!();
    Ok(())
}
