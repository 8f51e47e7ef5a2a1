use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;

use crate::ExtractError;

/// How much of what a reader complains of is kept, in bytes.
const COMPLAINTS: u64 = 64 << 10;
/// What Rust says before it ends a process that has no memory left.
const OUT_OF_MEMORY: &str = "memory allocation of";
/// The exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

/// The ends of the pipes to a process.
pub(super) struct Pipes {
    pub(super) input: ChildStdin,
    pub(super) output: ChildStdout,
}

/// A process that is killed at its deadline and when this value is dropped.
pub(super) struct Running {
    shared: Arc<Shared>,
    /// Dropped to end the thread that waits for the deadline.
    in_time: Option<Sender<()>>,
    watch: Option<JoinHandle<()>>,
    complaints: Option<JoinHandle<String>>,
}

struct Shared {
    child: Mutex<Child>,
    expired: AtomicBool,
}

impl Shared {
    fn kill(&self) {
        // That it has ended already is the only way for this to fail.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
    }
}

impl Running {
    pub(super) fn start(command: &mut Command, deadline: Duration) -> Result<(Self, Pipes), ExtractError> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(unavailable)?;
        let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Arc::new(Shared {
            child: Mutex::new(child),
            expired: AtomicBool::new(false),
        });
        let (in_time, deadline_or_end) = mpsc::channel();
        let mut running = Self {
            shared: Arc::clone(&shared),
            in_time: Some(in_time),
            watch: None,
            complaints: None,
        };
        let watch = move || {
            if deadline_or_end.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
                shared.expired.store(true, Ordering::SeqCst);
                shared.kill();
            }
        };
        running.watch = Some(spawned("extraction-deadline", watch)?);
        if let Some(complaints) = complaints {
            running.complaints = Some(spawned("extraction-complaints", || heard(complaints))?);
        }
        match (input, output) {
            (Some(input), Some(output)) => Ok((running, Pipes { input, output })),
            _ => Err(unavailable(io::Error::other("a pipe is missing"))),
        }
    }

    /// Why a process ended before it said that it was done.
    pub(super) fn why_it_ended(&mut self) -> ExtractError {
        let status = loop {
            match self.shared.try_wait() {
                Ok(Some(status)) => break status,
                // It has closed its output and goes on; the deadline ends that.
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(error) => return unavailable(error),
            }
        };
        if self.shared.expired.load(Ordering::SeqCst) {
            return ExtractError::TookTooLong;
        }
        let complaints = self
            .complaints
            .take()
            .and_then(|heard| heard.join().ok())
            .unwrap_or_default();
        if complaints.contains(OUT_OF_MEMORY) {
            return ExtractError::TooMuchMemory;
        }
        let signal = status.signal().and_then(Signal::from_named_raw);
        match (signal, status.code()) {
            (Some(Signal::XCPU), _) => ExtractError::TookTooLong,
            (Some(Signal::KILL | Signal::TERM | Signal::INT | Signal::HUP), _) => {
                unavailable(io::Error::other("the reader was ended from outside"))
            }
            (Some(_), _) | (None, Some(PANICKED)) => ExtractError::Crashed,
            (None, _) => unavailable(io::Error::other(format!("the reader ended with {status}"))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.kill();
        drop(self.in_time.take());
        // After the kill the process ends, and its pipes with it; waiting leaves no zombie and no thread behind.
        let _ = self
            .shared
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait();
        let _ = self.watch.take().map(JoinHandle::join);
        let _ = self.complaints.take().map(JoinHandle::join);
    }
}

fn spawned<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ExtractError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(unavailable)
}

/// The beginning of what a reader complains of; the rest is read, so that it does not wait, and forgotten.
fn heard(mut complaints: ChildStderr) -> String {
    let mut beginning = Vec::new();
    let read = complaints.by_ref().take(COMPLAINTS).read_to_end(&mut beginning);
    if read.is_ok() {
        let _ = io::copy(&mut complaints, &mut io::sink());
    }
    String::from_utf8_lossy(&beginning).into_owned()
}

fn unavailable(error: io::Error) -> ExtractError {
    ExtractError::Unavailable(error.into())
}
