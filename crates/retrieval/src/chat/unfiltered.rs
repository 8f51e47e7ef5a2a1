//! Stands in for the output filter until that is here.

use std::collections::BTreeSet;

use tenantry_domain::AllowedHosts;

#[derive(Debug)]
pub(super) struct OutputFilter {
    passages: usize,
    said: String,
}

pub(super) struct Finished {
    pub(super) rest: String,
    pub(super) cited: BTreeSet<usize>,
}

impl OutputFilter {
    pub(super) fn new(passages: usize, _: AllowedHosts) -> Self {
        Self {
            passages,
            said: String::new(),
        }
    }

    pub(super) fn push(&mut self, delta: &str) -> String {
        self.said.push_str(delta);
        delta.to_owned()
    }

    pub(super) fn finish(self) -> Finished {
        let cited = (1..=self.passages).filter(|n| self.said.contains(&format!("[{n}]")));
        Finished {
            rest: String::new(),
            cited: cited.collect(),
        }
    }
}
