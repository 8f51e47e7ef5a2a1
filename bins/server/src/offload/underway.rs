use std::sync::Arc;

use tokio::sync::watch;

/// Which answers are under way in this process, and the order to end them; clones are one and the same.
#[derive(Debug, Clone)]
pub(crate) struct Underway(Arc<State>);

#[derive(Debug)]
struct State {
    stopping: watch::Sender<bool>,
    count: watch::Sender<usize>,
}

/// One answer under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Presence(Arc<State>);

impl Default for Underway {
    fn default() -> Self {
        Self(Arc::new(State {
            stopping: watch::Sender::new(false),
            count: watch::Sender::new(0),
        }))
    }
}

impl Underway {
    /// Counts one more answer; `None` once the process stops.
    pub(crate) fn enter(&self) -> Option<Presence> {
        self.0.count.send_modify(|count| *count += 1);
        let presence = Presence(self.0.clone());
        // Looked at after it is counted, so that `ended` cannot miss it.
        (!*self.0.stopping.borrow()).then_some(presence)
    }

    /// Has every answer end, and lets none begin.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Waits for the order to end.
    pub(crate) async fn stopping(&self) {
        // The sender lives in this very value, so that it cannot be gone.
        drop(self.0.stopping.subscribe().wait_for(|stopping| *stopping).await);
    }

    /// Waits until no answer is under way.
    pub(crate) async fn ended(&self) {
        drop(self.0.count.subscribe().wait_for(|count| *count == 0).await);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.count.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn a_stop_lets_nothing_begin_and_waits_for_what_has() {
        let underway = Underway::default();
        let one = underway.enter().unwrap();
        assert!(underway.stopping().now_or_never().is_none());
        underway.stop();
        underway.stopping().await;
        assert!(underway.enter().is_none());
        assert!(underway.ended().now_or_never().is_none());
        drop(one);
        underway.ended().await;
    }
}
