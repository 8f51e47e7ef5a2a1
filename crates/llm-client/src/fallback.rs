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
/// let model = FallbackCompleter::new(Arc::new(down), vec![Arc::new(ExtractiveCompleter)]);
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
    pub fn new(first: Arc<dyn Completer>, then: Vec<Arc<dyn Completer>>) -> Self {
        Self {
            first,
            then,
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
        Err(failures.in_all(prompt.task))
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
            .finish_non_exhaustive()
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
    fn in_all(self, task: Task) -> LlmError {
        match self.first {
            Some(first) if self.told.len() == 1 => first,
            Some(first) => first.with_source(self.told.join("; ").into()),
            None if task == Task::Rewrite => {
                LlmError::Refused("no model that could be asked in time can rewrite".into())
            }
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{ExtractiveCompleter, FailingCompleter, MemoryCompleter, PastMessage};

    type Failure = fn() -> LlmError;

    fn transient() -> LlmError {
        LlmError::Unavailable("no connection".into())
    }

    fn failing(failure: Failure) -> Arc<dyn Completer> {
        Arc::new(FailingCompleter::at_once(failure))
    }

    fn saying(name: &str) -> Arc<MemoryCompleter> {
        Arc::new(MemoryCompleter::saying(format!("It is {name}.")).named(name))
    }

    fn chain(mut models: Vec<Arc<dyn Completer>>) -> FallbackCompleter {
        FallbackCompleter::new(models.remove(0), models)
    }

    fn stream(model: &dyn Completer) -> (String, Result<Completion, LlmError>) {
        let mut heard = String::new();
        let outcome = model.stream(&Prompt::default(), &Cancellation::new(), &mut |delta| {
            heard.push_str(delta);
            ControlFlow::Continue(())
        });
        (heard, outcome)
    }

    fn causes(error: &LlmError) -> String {
        told("all", error)
    }

    #[test]
    fn the_next_model_answers_what_another_may_not() {
        let failures: [Failure; 8] = [
            transient,
            || LlmError::RateLimited {
                retry_after: None,
                source: "slow down".into(),
            },
            || LlmError::QuotaExceeded("spent".into()),
            || LlmError::UnknownModel("no such model".into()),
            || LlmError::Unauthorized("wrong key".into()),
            || LlmError::Protocol("html".into()),
            || LlmError::TooLong("too long".into()),
            || LlmError::Truncated("nothing came".into()),
        ];
        for failure in failures {
            let model = chain(vec![failing(failure), saying("second"), saying("third")]);
            let (heard, outcome) = stream(&model);
            let completion = outcome.unwrap();
            assert_eq!(heard, "It is second.");
            assert_eq!(
                (completion.text.as_str(), completion.model.as_str()),
                ("It is second.", "second")
            );
            assert_eq!(model.complete(&Prompt::default()).unwrap().model, "second");
        }
    }

    #[test]
    fn a_model_that_answers_is_the_only_one_that_is_asked() {
        let (first, second) = (saying("first"), saying("second"));
        let model = chain(vec![first.clone(), second.clone()]);
        assert_eq!(stream(&model).1.unwrap().model, "first");
        assert_eq!((first.prompts().len(), second.prompts().len()), (1, 0));
        assert_eq!(model.model(), "first");
    }

    #[test]
    fn a_refused_request_is_not_taken_elsewhere() {
        let second = saying("second");
        let model = chain(vec![
            failing(|| LlmError::Refused("filtered".into())),
            second.clone(),
        ]);
        assert!(matches!(stream(&model).1, Err(LlmError::Refused(_))));
        assert!(matches!(
            model.complete(&Prompt::default()),
            Err(LlmError::Refused(_))
        ));
        assert!(second.prompts().is_empty());
    }

    #[test]
    fn nothing_is_asked_after_the_first_piece() {
        let second = saying("second");
        let broken = FailingCompleter::after(["half "], || LlmError::Truncated("gone".into()));
        let model = chain(vec![failing(transient), Arc::new(broken), second.clone()]);
        let (heard, outcome) = stream(&model);
        let error = outcome.unwrap_err();
        assert_eq!(heard, "half ");
        assert!(matches!(error, LlmError::Truncated(_)), "{error:?}");
        assert!(second.prompts().is_empty());
        // The log tells of the model that was asked before, too.
        assert!(
            causes(&error).contains("no connection") && causes(&error).contains("gone"),
            "{error:?}"
        );
    }

    #[test]
    fn nothing_is_asked_after_a_cancellation() {
        let second = saying("second");
        let model = chain(vec![failing(|| LlmError::Cancelled), second.clone()]);
        assert!(matches!(stream(&model).1, Err(LlmError::Cancelled)));
        let cancellation = Cancellation::new();
        let raised = cancellation.clone();
        let leaving = MemoryCompleter::new(move |_| {
            raised.cancel();
            Err(transient())
        });
        let model = chain(vec![Arc::new(leaving), second.clone()]);
        let outcome = model.stream(&Prompt::default(), &cancellation, &mut |_| {
            ControlFlow::Continue(())
        });
        assert!(matches!(outcome, Err(LlmError::Cancelled)), "{outcome:?}");
        assert!(second.prompts().is_empty());
    }

    #[test]
    fn the_error_is_that_of_the_first_and_tells_of_all() {
        let model = chain(vec![
            failing(|| LlmError::Unauthorized("wrong key".into())),
            failing(transient),
            failing(|| LlmError::UnknownModel("no such model".into())),
        ]);
        for error in [
            stream(&model).1.unwrap_err(),
            model.complete(&Prompt::default()).unwrap_err(),
        ] {
            assert!(matches!(error, LlmError::Unauthorized(_)), "{error:?}");
            let told = causes(&error);
            for reason in ["wrong key", "no connection", "no such model"] {
                assert!(told.contains(reason), "{told}");
            }
        }
        let alone = chain(vec![failing(transient)]);
        assert_eq!(
            causes(&stream(&alone).1.unwrap_err()),
            "all: the provider is unavailable: no connection"
        );
    }

    #[test]
    fn all_models_share_one_budget() {
        let budgets = Arc::new(Mutex::new(Vec::new()));
        let noting = || -> Arc<dyn Completer> {
            let budgets = budgets.clone();
            Arc::new(MemoryCompleter::new(move |prompt| {
                budgets.lock().unwrap().push(prompt.budget);
                Err(transient())
            }))
        };
        let slow = MemoryCompleter::new(|prompt| {
            std::thread::sleep(prompt.budget.first_token.unwrap());
            Err(transient())
        });
        let budget = |millis| Budget {
            first_token: Some(Duration::from_millis(millis)),
            total: Some(Duration::from_mins(5)),
        };
        let model = chain(vec![noting(), Arc::new(slow), noting()]).within(budget(30));
        assert!(matches!(stream(&model).1, Err(LlmError::Unavailable(_))));
        let seen = std::mem::take(&mut *budgets.lock().unwrap());
        assert_eq!(seen.len(), 1, "a model was asked when no time was left");
        assert!(seen[0].first_token <= budget(30).first_token && seen[0].total <= budget(30).total);

        let shorter = Prompt {
            budget: budget(7),
            ..Prompt::default()
        };
        drop(chain(vec![noting()]).within(budget(60_000)).complete(&shorter));
        assert!(budgets.lock().unwrap()[0].first_token <= budget(7).first_token);
        let none = Prompt {
            budget: budget(0),
            ..Prompt::default()
        };
        assert!(matches!(
            chain(vec![saying("first")]).complete(&none),
            Err(LlmError::Unavailable(_))
        ));
    }

    #[test]
    fn a_follow_up_is_rewritten_by_those_that_can() {
        let writer = saying("writer");
        let history = vec![PastMessage {
            role: tenantry_domain::MessageRole::User,
            text: "a".into(),
        }];
        let follow_up = Prompt::rewriting(history, "b");
        let model = chain(vec![Arc::new(ExtractiveCompleter), writer]);
        assert!(model.can_rewrite());
        assert_eq!(model.complete(&follow_up).unwrap().model, "writer");
        let none = chain(vec![Arc::new(ExtractiveCompleter)]);
        assert!(!none.can_rewrite());
        assert!(matches!(none.complete(&follow_up), Err(LlmError::Refused(_))));
    }
}
