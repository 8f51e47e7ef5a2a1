use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenantry_domain::{Cancellation, Job, JobId, JobState, TenantScope};

use crate::app::App;
use crate::cli::Failure;
use crate::cli::ask::visible;

/// How long it is between two looks at the jobs.
const PAUSE: Duration = Duration::from_millis(100);
/// How many jobs are looked at each time, the one looked at longest ago first.
const LOOKS: usize = 64;

/// Follows jobs to their end, and writes a line for each file.
pub(super) struct Follow<'a> {
    app: &'a App,
    scope: &'a TenantScope,
    out: &'a mut dyn Write,
    bar: ProgressBar,
    waiting: VecDeque<Waiting>,
    looked: Instant,
    ready: usize,
    skipped: usize,
    failed: usize,
    /// Files that were not even handed in.
    left: usize,
}

struct Waiting {
    name: String,
    job: JobId,
}

impl<'a> Follow<'a> {
    pub(super) fn new(app: &'a App, scope: &'a TenantScope, files: usize, out: &'a mut dyn Write) -> Self {
        Self {
            app,
            scope,
            out,
            bar: progress_bar(files),
            waiting: VecDeque::new(),
            looked: Instant::now(),
            ready: 0,
            skipped: 0,
            failed: 0,
            left: 0,
        }
    }

    pub(super) fn add(&mut self, name: String, job: JobId) {
        self.waiting.push_back(Waiting { name, job });
    }

    pub(super) fn skip(&mut self, name: &str) -> io::Result<()> {
        self.skipped += 1;
        self.line("skipped", name, "already there")
    }

    pub(super) fn fail(&mut self, name: &str, reason: &str) -> io::Result<()> {
        self.failed += 1;
        self.line("failed", name, reason)
    }

    pub(super) fn leave(&mut self) {
        self.left += 1;
    }

    /// Looks at the jobs when the last look was a while ago.
    pub(super) fn look_now_and_then(&mut self) -> Result<(), Failure> {
        if self.looked.elapsed() >= PAUSE {
            self.look()?;
        }
        Ok(())
    }

    /// Looks at the jobs until all are over, or the command is stopped.
    pub(super) fn until_all_are_over(&mut self, stop: &Cancellation) -> Result<(), Failure> {
        loop {
            self.look()?;
            if self.waiting.is_empty() || stop.is_cancelled() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Writes what came of it.
    pub(super) fn finish(self, stopped: bool) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let Self {
            out,
            ready,
            skipped,
            failed,
            left,
            waiting,
            ..
        } = self;
        writeln!(out, "{ready} ready, {skipped} skipped, {failed} failed")?;
        let unfinished = waiting.len();
        if stopped && unfinished + left > 0 {
            return Err(Failure::new("stopped before every file was ready").hint(format!(
                "{unfinished} files wait in the database as jobs, which a running server goes on with, and the same command goes on too; \
                 {left} were not handed in"
            )));
        }
        if failed == 0 { Ok(()) } else { Err(Failure::told()) }
    }

    fn look(&mut self) -> Result<(), Failure> {
        let mut busy = None;
        for _ in 0..self.waiting.len().min(LOOKS) {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let job = self.app.knowledge.job(self.scope, waiting.job)?;
            match job {
                Some(job) if !job.state.is_over() => {
                    // The one that is being done says most.
                    if busy.is_none() || job.state == JobState::Running {
                        busy = Some(told(&waiting.name, &job));
                    }
                    self.waiting.push_back(waiting);
                }
                Some(job) => self.end(&waiting.name, &job)?,
                None => self.fail(&waiting.name, "its document was removed meanwhile")?,
            }
        }
        self.bar.set_message(busy.unwrap_or_default());
        self.looked = Instant::now();
        Ok(())
    }

    fn end(&mut self, name: &str, job: &Job) -> io::Result<()> {
        match job.state {
            JobState::Done => {
                self.ready += 1;
                let chunks = job.progress.chunks;
                self.line(
                    "ready",
                    name,
                    &format!("{chunks} {}", if chunks == 1 { "chunk" } else { "chunks" }),
                )
            }
            JobState::Cancelled => self.fail(name, "cancelled"),
            JobState::Failed | JobState::Queued | JobState::Running => {
                self.fail(name, job.reason.as_deref().unwrap_or("no reason is known"))
            }
        }
    }

    fn line(&mut self, outcome: &str, name: &str, what: &str) -> io::Result<()> {
        let line = format!("{outcome:<8} {}: {}", visible(name), visible(what));
        self.bar.inc(1);
        self.bar.suspend(|| writeln!(self.out, "{line}"))
    }
}

fn told(name: &str, job: &Job) -> String {
    let (percent, chunks) = (job.percent(), job.progress.chunks);
    let reason = job
        .reason
        .as_deref()
        .map(|reason| format!(", tried again: {reason}"));
    visible(&format!(
        "{name}: {} {percent} %, {chunks} chunks{}",
        job.stage,
        reason.unwrap_or_default()
    ))
}

/// A bar on a terminal, nothing elsewhere: the lines that are written anyway are the progress then.
fn progress_bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(files).unwrap_or(u64::MAX));
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
