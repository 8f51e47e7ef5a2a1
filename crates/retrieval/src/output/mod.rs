//! The filter through which a model's text goes on its way to a browser: markers that cite nothing are removed, and what would
//! make the browser call a host that is not allowed is made harmless.
//!
//! Safety does not rest on reading Markdown as every renderer does. It rests on what never stands in the output outside of code
//! that all of them take for code:
//! - `](`, unless a URL of an allowed host follows, so that there is no other link or image;
//! - `]:` where a reference definition could begin, unless such a URL follows;
//! - `<` before anything but a blank, unless it is `<URL>` with such a URL: no HTML, no autolink;
//! - `http://`, `https://`, `ftp://` and `www.` before any other host, which renderers link by themselves.
//!
//! What counts as code is told in [`code`]; where renderers could differ, it is read as text. Names of hosts without a scheme
//! or `www.` are left alone: `README.md` looks the same.

mod addresses;
mod blocks;
mod brackets;
mod code;
mod destination;
mod draft;
mod entities;
mod incoming;
mod look;
mod markers;
mod scan;
mod urls;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::mem;

use tenantry_domain::AllowedHosts;

use self::incoming::Incoming;
use self::look::{Step, Wait};
use self::scan::Scan;

/// Filters one text that comes in pieces. How it is cut does not change what comes out in all.
#[derive(Debug)]
pub(crate) struct OutputFilter {
    incoming: Incoming,
    /// What was not understood yet: it begins with something that what follows decides.
    tail: String,
    /// What `tail` waits for.
    wait: Option<Wait>,
    scan: Scan,
}

/// What is left when a text has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// What was held back.
    pub(crate) rest: String,
    /// The numbers of the passages that the text cites.
    pub(crate) cited: BTreeSet<usize>,
}

impl OutputFilter {
    /// Filters a text that may cite the passages 1 to `passages` and link to `allowed` hosts.
    pub(crate) fn new(passages: usize, allowed: AllowedHosts) -> Self {
        Self {
            incoming: Incoming::default(),
            tail: String::new(),
            wait: None,
            scan: Scan::new(passages, allowed),
        }
    }

    /// Takes the next piece and gives what may be sent now: most often all of it, at times nothing.
    pub(crate) fn push(&mut self, delta: &str) -> String {
        let known = self.tail.len();
        self.incoming.add(delta, &mut self.tail);
        let still_waits = self.wait.is_some_and(|wait| wait.goes_on(&self.tail, known));
        if !still_waits {
            self.run(false);
        }
        self.scan.take()
    }

    /// Ends the text.
    pub(crate) fn finish(mut self) -> Finished {
        self.run(true);
        let rest = self.scan.finish();
        let cited = self.scan.into_cited();
        Finished { rest, cited }
    }

    fn run(&mut self, ended: bool) {
        let tail = mem::take(&mut self.tail);
        let mut rest = tail.as_str();
        self.wait = None;
        while !rest.is_empty() {
            match self.scan.step(rest, ended) {
                Step::Took(length) => rest = rest.get(length..).unwrap_or_default(),
                Step::Wait(wait) => {
                    self.wait = Some(wait);
                    break;
                }
            }
        }
        rest.clone_into(&mut self.tail);
    }
}
