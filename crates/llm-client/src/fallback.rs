use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry_domain::Cancellation;

use crate::{Budget, Completer, Completion, LlmError, Prompt, Task};

/// Asks models in their order until one answers: the next one when one fails before its first piece of text, for a
/// reason that another may not have. Nothing of a failed model is passed on, and the answer names the model that gave it.
///
/// When all fail, the error is that of the first, which is the one that was chosen; its source names every model that
/// was asked with its own reason.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use tenantry_llm_client::{Completer, ExtractiveCompleter, FallbackCompleter, LlmError, MemoryCompleter, Prompt};
///
/// let down = MemoryCompleter::new(|_| Err(LlmError::Unavailable("no connection".into())));
/// let model = FallbackCompleter::new(Arc::new(down), [Arc::new(ExtractiveCompleter) as Arc<dyn Completer>]);
/// assert_eq!(model.complete(&Prompt::default())?.model, "extractive");
/// # Ok::<(), LlmError>(())
/// ```
pub struct FallbackCompleter {
    first: Arc<dyn Completer>,
    then: Vec<Arc<dyn Completer>>,
    budget: Budget,
}

/// What may take no longer in all than one model may.
const BUDGET: Budget = Budget {
    first_token: Some(Duration::from_mins(1)),
    total: Some(Duration::from_mins(10)),
};

impl FallbackCompleter {
    /// Asks `first`, then those of `then` in their order; all of them together have a minute until the first piece of text
    /// and ten minutes for the answer.
    pub fn new(first: Arc<dyn Completer>, then: impl IntoIterator<Item = Arc<dyn Completer>>) -> Self {
        Self {
            first,
            then: then.into_iter().collect(),
            budget: BUDGET,
        }
    }

    /// Sets the time that all models have together; the budget of a prompt can only shorten it.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    fn models(&self, task: Task) -> impl Iterator<Item = &dyn Completer> {
        let all = std::iter::once(&self.first).chain(&self.then).map(Arc::as_ref);
        all.filter(move |model| task != Task::Rewrite || model.can_rewrite())
    }

    /// Asks one model after the other by `ask`, which says of an error whether the next one may be asked.
    fn ask(
        &self,
        prompt: &Prompt,
        mut ask: impl FnMut(&dyn Completer, &Prompt) -> Result<Completion, (LlmError, Next)>,
    ) -> Result<Completion, LlmError> {
        let started = Instant::now();
        let budget = self.budget.shorter(prompt.budget);
        let mut failures = Failures::default();
        for model in self.models(prompt.task) {
            let Some(budget) = budget.after(started.elapsed()) else {
                break;
            };
            let prompt = Prompt {
                budget,
                ..prompt.clone()
            };
            match ask(model, &prompt) {
                Ok(completion) => return Ok(completion),
                Err((LlmError::Cancelled, _)) => return Err(LlmError::Cancelled),
                Err((error, Next::MayAnswer)) if may_differ(&error) => failures.add(model.model(), error),
                Err((error, Next::MayAnswer)) => {
                    failures.add(model.model(), error);
                    break;
                }
                Err((error, Next::IsTooLate)) => return Err(failures.before(model.model(), error)),
            }
        }
        Err(failures.in_all())
    }
}

/// Whether another model may be asked after an error.
enum Next {
    MayAnswer,
    IsTooLate,
}

impl Completer for FallbackCompleter {
    fn model(&self) -> &str {
        self.first.model()
    }

    fn can_rewrite(&self) -> bool {
        self.models(Task::Rewrite).next().is_some()
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        self.ask(prompt, |model, prompt| {
            model.complete(prompt).map_err(|error| (error, Next::MayAnswer))
        })
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        self.ask(prompt, |model, prompt| {
            if cancellation.is_cancelled() {
                return Err((LlmError::Cancelled, Next::IsTooLate));
            }
            let mut spoken = false;
            let outcome = model.stream(prompt, cancellation, &mut |delta| {
                spoken = true;
                on_delta(delta)
            });
            let next = if spoken { Next::IsTooLate } else { Next::MayAnswer };
            outcome.map_err(|error| (error, next))
        })
    }
}

impl fmt::Debug for FallbackCompleter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models = self.models(Task::Answer).map(Completer::model);
        f.debug_struct("FallbackCompleter")
            .field("models", &models.collect::<Vec<_>>())
            .field("budget", &self.budget)
            .finish()
    }
}

/// Whether another model may answer what this one did not. A request that was refused for what it is would be refused
/// again, and what a provider withholds is not asked of the next one.
fn may_differ(error: &LlmError) -> bool {
    match error {
        LlmError::Unauthorized(_)
        | LlmError::RateLimited { .. }
        | LlmError::QuotaExceeded(_)
        | LlmError::UnknownModel(_)
        | LlmError::TooLong(_)
        | LlmError::Protocol(_)
        | LlmError::Truncated(_)
        | LlmError::Unavailable(_) => true,
        LlmError::Refused(_) | LlmError::Cancelled => false,
    }
}

/// Why models did not answer, in the order in which they were asked.
#[derive(Default)]
struct Failures {
    first: Option<LlmError>,
    told: Vec<String>,
}

impl Failures {
    fn add(&mut self, model: &str, error: LlmError) {
        self.told.push(told(model, &error));
        self.first.get_or_insert(error);
    }

    /// The error of the first model, which tells of the others too.
    fn in_all(self) -> LlmError {
        match self.first {
            Some(first) if self.told.len() == 1 => first,
            Some(first) => first.with_source(self.told.join("; ").into()),
            None => LlmError::Unavailable("no model could be asked in the time that was left".into()),
        }
    }

    /// The error of the model that had begun to answer, which tells of those before too.
    fn before(mut self, model: &str, error: LlmError) -> LlmError {
        if self.told.is_empty() {
            return error;
        }
        self.told.push(told(model, &error));
        error.with_source(self.told.join("; ").into())
    }
}

/// An error with its causes.
fn told(model: &str, error: &LlmError) -> String {
    let mut told = format!("{model}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        told.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    told
}
