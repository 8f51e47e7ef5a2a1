use super::wire::Message;
use crate::messages::{self, Role};
use crate::{LlmError, Prompt};

/// Writes a prompt as messages, with a mark around what is quoted in it that is fresh for each request.
pub(super) fn messages(prompt: &Prompt) -> Result<Vec<Message>, LlmError> {
    let written = messages::written(prompt, &mark(prompt)?).into_iter();
    Ok(written
        .map(|message| Message {
            role: match message.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            },
            content: message.text,
        })
        .collect())
}

/// A mark that stands in no text of the prompt.
fn mark(prompt: &Prompt) -> Result<String, LlmError> {
    loop {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| LlmError::Unavailable(error.to_string().into()))?;
        let mark = format!("{:016x}", u64::from_le_bytes(bytes));
        if !prompt.mentions(&mark) {
            return Ok(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Passage;

    #[test]
    fn the_mark_is_fresh_and_stands_in_no_passage() {
        let prompt = Prompt {
            passages: vec![Passage {
                number: 1,
                title: "Returns".into(),
                text: "Thirty days.".into(),
            }],
            ..Prompt::default()
        };
        let one = messages(&prompt).unwrap();
        assert_ne!(one, messages(&prompt).unwrap());
        let after = one[1].content.strip_prefix("<<<").unwrap();
        assert_eq!(after.find(' '), Some(16));
    }
}
