//! What a model is told of a conversation.

use tenantry_domain::{Message, MessageId, MessageRole, MessageStatus};
use tenantry_llm_client::{PastMessage, estimate_tokens};

/// How many tokens of history a prompt has where the tenant does not say.
const TOKENS: u32 = 2_000;
/// How many messages are looked at: as many as would fill the tokens if each had only these many, within bounds.
const TOKENS_OF_A_MESSAGE: u32 = 50;
const FEWEST_MESSAGES: u16 = 4;
const MOST_MESSAGES: u16 = 100;

/// How much of a conversation is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound(u32);

impl Bound {
    pub(super) fn of(setting: Option<u32>) -> Self {
        Self(setting.unwrap_or(TOKENS))
    }

    /// How many messages have to be read; `None` when no history is sent.
    pub(super) fn messages(self) -> Option<u16> {
        let wanted = u16::try_from(self.0 / TOKENS_OF_A_MESSAGE).unwrap_or(MOST_MESSAGES);
        (self.0 > 0).then(|| wanted.clamp(FEWEST_MESSAGES, MOST_MESSAGES))
    }

    /// The newest of `messages`, each whole, that have no more tokens together.
    pub(super) fn newest(self, mut messages: Vec<PastMessage>) -> Vec<PastMessage> {
        let mut left = usize::try_from(self.0).unwrap_or(usize::MAX);
        let fits = |message: &&PastMessage| match left.checked_sub(estimate_tokens(&message.text)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let kept = messages.iter().rev().take_while(fits).count();
        messages.drain(..messages.len() - kept);
        messages
    }
}

/// What was said before the message `question`: each question with its answer, in the order of the answers. One whose answer
/// failed, is empty or never came is left out with it.
pub(super) fn before(question: MessageId, messages: Vec<Message>) -> Vec<PastMessage> {
    let mut past = Vec::new();
    let mut asked: Vec<Message> = Vec::new();
    for message in messages {
        if message.id == question {
            break;
        }
        match message.role {
            MessageRole::User => asked.push(message),
            MessageRole::Assistant => {
                let Some(asked) = answered_by(&message, &mut asked) else {
                    continue;
                };
                if message.status != MessageStatus::Failed && !message.text.trim().is_empty() {
                    past.extend([asked, message].map(past_message));
                }
            }
        }
    }
    past
}

/// Takes the question of `answer` out of those that were `asked` before it. Of several that were under way at once it is the one
/// of the same moment, because a turn begins with the ids of both.
fn answered_by(answer: &Message, asked: &mut Vec<Message>) -> Option<Message> {
    let moment = |message: &Message| message.id.as_uuid().get_timestamp();
    let same = asked
        .iter()
        .rposition(|question| moment(question) == moment(answer));
    let at = same.or(asked.len().checked_sub(1))?;
    Some(asked.remove(at))
}

fn past_message(message: Message) -> PastMessage {
    PastMessage {
        role: message.role,
        text: message.text,
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{Clock, SystemClock, Timestamp};

    use super::*;

    fn message(role: MessageRole, text: &str, status: MessageStatus) -> Message {
        let now = SystemClock.now();
        Message {
            id: MessageId::generate(now),
            role,
            text: text.into(),
            status,
            citations: Vec::new(),
            model: None,
            usage: None,
            created_at: now,
        }
    }

    fn asked(text: &str) -> Message {
        message(MessageRole::User, text, MessageStatus::Complete)
    }

    fn answered(text: &str, status: MessageStatus) -> Message {
        message(MessageRole::Assistant, text, status)
    }

    fn told(messages: Vec<Message>) -> Vec<String> {
        let question = asked("now");
        let id = question.id;
        let all = messages.into_iter().chain([question, asked("later")]);
        before(id, all.collect())
            .into_iter()
            .map(|past| past.text)
            .collect()
    }

    #[test]
    fn a_question_is_told_with_its_answer_or_not_at_all() {
        use MessageStatus::{Cancelled, Complete, Failed};
        let messages = vec![
            answered("whose question was too long ago", Complete),
            asked("q1"),
            answered("a1", Complete),
            asked("q2, never answered"),
            asked("q3"),
            answered("a3, in part", Cancelled),
            asked("q4"),
            answered("a4, in part", Failed),
            asked("q5"),
            answered(" ", Cancelled),
            asked("q6, under way"),
        ];
        assert_eq!(told(messages), ["q1", "a1", "q3", "a3, in part"]);
    }

    #[test]
    fn of_questions_under_way_at_once_each_is_told_with_its_own_answer() {
        let [first, second] = [1, 2].map(|second| {
            let at = Timestamp::from_unix_micros(second * 1_000_000).unwrap();
            let of = |message| Message {
                id: MessageId::generate(at),
                ..message
            };
            [
                of(asked(&format!("q{second}"))),
                of(answered(&format!("a{second}"), MessageStatus::Complete)),
            ]
        });
        let ([q1, a1], [q2, a2]) = (first, second);
        assert_eq!(
            told(vec![q1.clone(), q2.clone(), a1.clone(), a2.clone()]),
            ["q1", "a1", "q2", "a2"]
        );
        assert_eq!(told(vec![q1, q2, a2, a1]), ["q2", "a2", "q1", "a1"]);
    }

    #[test]
    fn as_many_messages_are_read_as_may_be_needed() {
        let messages = |tokens| Bound::of(tokens).messages();
        assert_eq!(messages(Some(0)), None);
        assert_eq!(messages(Some(1)), Some(4));
        assert_eq!(messages(None), Some(40));
        assert_eq!(messages(Some(u32::MAX)), Some(100));
    }
}
