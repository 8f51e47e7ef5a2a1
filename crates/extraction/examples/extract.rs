//! Prints the text of files: `cargo run -p tenantry-extraction --example extract -- FILE...`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use tenantry_extraction::{Extractor, FileHint, InProcessExtractor, Limits, Piece};

fn main() -> io::Result<()> {
    let extractor = InProcessExtractor::new(Limits::default());
    for name in std::env::args().skip(1) {
        let mut file = File::open(&name)?;
        let result = extractor.extract(&mut file, FileHint::named(&name), &mut |piece| {
            match piece {
                Piece::Text(text) => print!("{text}"),
                Piece::Page(number) => println!("--- page {number} ---"),
            }
            ControlFlow::Continue(())
        });
        match result {
            Ok(extracted) => println!("\n=== {name}: {extracted:?}"),
            Err(error) => println!("\n=== {name}: {error}"),
        }
    }
    Ok(())
}
