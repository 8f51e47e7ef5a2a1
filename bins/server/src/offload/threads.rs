use std::fmt;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// How much stack a thread of an answer stream has; it takes memory for what it has used alone. A handshake of TLS is the deepest that
/// it goes: a test of the client holds that it fits 192 KiB in a debug build, which needs several times as much as a release.
const STACK: usize = if cfg!(debug_assertions) { 512 } else { 256 } << 10;
/// How long a thread without work is kept for the next answer.
const KEPT: Duration = Duration::from_secs(10);

/// Threads with small stacks for answers that take their time; one set for all workers. They are started when they are needed, used
/// again, and end when there is nothing to do.
pub(super) struct StreamThreads {
    /// Nothing is driven on it: it is there for its blocking threads alone. `None` only while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl StreamThreads {
    /// At most `count` of them.
    ///
    /// # Errors
    /// When the machine cannot even prepare for them.
    pub(super) fn new(count: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(count.max(1))
            .thread_stack_size(STACK)
            .thread_keep_alive(KEPT)
            .thread_name("stream")
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for StreamThreads {
    /// Waits for nobody, as this may be on a thread that must not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for StreamThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamThreads").finish_non_exhaustive()
    }
}
