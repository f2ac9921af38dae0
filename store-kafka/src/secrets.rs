//! Passwords and tokens, to be left out of what others say.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

/// How many tokens are remembered: the one in use, and those that connections may still be opened with.
const REMEMBERED_MAX: usize = 4;

/// Passwords and tokens. Neither librdkafka nor Apache Kafka writes one into a message; a broker of somebody else's might
/// send back what it was given.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    pub(crate) fn add(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.is_empty() || known.iter().any(|known| known == secret) {
            return;
        }
        if known.len() == REMEMBERED_MAX {
            known.remove(0);
        }
        known.push(secret.into());
    }

    /// `text` without them.
    pub(crate) fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hide = |text: Cow<'a, str>, secret: &String| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), "***").into(),
            false => text,
        };
        known.iter().fold(text.into(), hide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_left_out_of_what_comes_back() {
        let secrets = Secrets::default();
        secrets.add("hunter2");
        for token in 0..REMEMBERED_MAX - 1 {
            secrets.add(&format!("token-{token}"));
        }
        assert_eq!(secrets.hidden("no hunter2 with token-0 and token-2"), "no *** with *** and ***");
        assert_eq!(secrets.hidden("nothing"), "nothing");
        secrets.add("");
        assert_eq!(secrets.hidden("nothing"), "nothing");
    }
}
