//! The network itself: ids in, one vector out.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use tenantry_domain::BoxError;

/// A sentence encoder that takes `input_ids`, `attention_mask` and perhaps `token_type_ids`, each of one row, and gives a vector
/// for each token.
pub(super) struct Network {
    model: Model,
    ids: NodeId,
    mask: NodeId,
    types: Option<NodeId>,
    output: NodeId,
    threads: Threads,
}

impl Network {
    /// Reads an ONNX file.
    ///
    /// # Errors
    /// When it is none, or a network with other inputs.
    pub(super) fn parse(onnx: Vec<u8>, threads: usize) -> Result<Self, BoxError> {
        let model = ModelOptions::with_all_ops().load(onnx)?;
        let output = model.output_ids().first().copied();
        Ok(Self {
            ids: model.node_id("input_ids")?,
            mask: model.node_id("attention_mask")?,
            types: model.find_node("token_type_ids"),
            output: output.ok_or("the network has no output")?,
            threads: Threads::new(threads),
            model,
        })
    }

    /// The mean of the vectors of the tokens.
    ///
    /// One text at a time: rows of other lengths beside it would be padding to compute, several rows of a passage's length
    /// are no faster than one, and a text's vector never depends on its neighbours.
    pub(super) fn encode(&self, ids: &[i32]) -> Result<Vec<f32>, BoxError> {
        let shape = [1, ids.len()];
        let ids = NdTensorView::from_data(shape, ids);
        let mask = NdTensor::<i32, 2>::full(shape, 1);
        let types = NdTensor::<i32, 2>::full(shape, 0);
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> =
            vec![(self.ids, ids.into()), (self.mask, mask.view().into())];
        inputs.extend(self.types.map(|node| (node, types.view().into())));
        let thread = self.threads.take();
        let options = RunOptions::default().with_thread_pool(thread.pool.clone());
        let [output] = self.model.run_n(inputs, [self.output], Some(options))?;
        drop(thread);
        let vectors: NdTensor<f32, 3> = output.try_into()?;
        let [_, tokens, dimension] = vectors.shape();
        Ok(mean(&vectors.to_vec(), tokens, dimension))
    }
}

/// The mean of `tokens` vectors of `dimension` numbers that stand one after the other.
fn mean(vectors: &[f32], tokens: usize, dimension: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; dimension];
    for vector in vectors.chunks_exact(dimension.max(1)) {
        for (sum, number) in sum.iter_mut().zip(vector) {
            *sum += number;
        }
    }
    let count = f32::from(u16::try_from(tokens).unwrap_or(u16::MAX));
    sum.iter().map(|sum| sum / count).collect()
}

/// The threads that compute, each a pool of one: a text keeps one busy, and as many texts as there are threads are
/// computed side by side.
struct Threads {
    idle: Mutex<Vec<Arc<ThreadPool>>>,
    freed: Condvar,
}

impl Threads {
    fn new(count: usize) -> Self {
        let pools = (0..count.max(1)).map(|_| Arc::new(ThreadPool::with_num_threads(1)));
        Self {
            idle: Mutex::new(pools.collect()),
            freed: Condvar::new(),
        }
    }

    /// Waits for an idle thread.
    fn take(&self) -> Thread<'_> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self
            .freed
            .wait_while(idle, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        Thread {
            pool: idle.pop(),
            of: self,
        }
    }
}

/// A thread at work, idle again when this is dropped.
struct Thread<'t> {
    pool: Option<Arc<ThreadPool>>,
    of: &'t Threads,
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        let mut idle = self.of.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.pool.take());
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_mean_is_taken_over_the_tokens() {
        assert_eq!(mean(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 3, 2), [3.0, 5.0]);
        assert_eq!(mean(&[1.0, 2.0], 1, 2), [1.0, 2.0]);
        assert_eq!(mean(&[], 0, 0), [0.0; 0]);
    }

    #[test]
    fn no_more_texts_are_computed_at_once_than_there_are_threads() {
        let threads = Threads::new(2);
        let one = threads.take();
        let _other = threads.take();
        std::thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let threads = &threads;
            scope.spawn(move || {
                let _third = threads.take();
                sender.send(()).unwrap();
            });
            assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
            drop(one);
            receiver.recv().unwrap();
        });
        assert_eq!(threads.idle.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bytes in [&b""[..], b"not a model", &[0x08, 0x07, 0xff, 0xff]] {
            assert!(Network::parse(bytes.to_vec(), 1).is_err(), "{bytes:?}");
        }
    }
}
