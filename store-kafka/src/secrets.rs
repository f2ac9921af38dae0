//! Passwords and tokens, to be left out of what others say.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// How many tokens are remembered: the one in use, and those that connections may still be opened with.
const TOKENS_MAX: usize = 4;

/// Passwords and tokens. Neither librdkafka nor Apache Kafka writes one into a message; a broker of somebody else's
/// might send back what it was given.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// Those that settings hold: they count as long as the client lives.
    fixed: Arc<[String]>,
    /// The newest last.
    tokens: Arc<Mutex<VecDeque<String>>>,
}

impl Secrets {
    /// Those that settings hold.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let fixed = secrets.into_iter().filter(|secret| !secret.is_empty()).map(Into::into).collect();
        Self { fixed, tokens: Arc::default() }
    }

    /// Remembers `token`, and forgets the oldest one.
    pub(crate) fn add_token(&self, token: &str) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if token.is_empty() || tokens.iter().any(|known| known == token) {
            return;
        }
        if tokens.len() == TOKENS_MAX {
            tokens.pop_front();
        }
        tokens.push_back(token.into());
    }

    /// `text` without them.
    pub(crate) fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let hide = |text: Cow<'a, str>, secret: &String| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), "***").into(),
            false => text,
        };
        self.fixed.iter().chain(tokens.iter()).fold(text.into(), hide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken on purpose, and seen to fail this: one list for all, from which tokens push out the password.
    #[test]
    fn what_was_given_is_left_out_of_what_comes_back() {
        let secrets = Secrets::of(["hunter2", "", "hunter3"]);
        for token in 0..TOKENS_MAX {
            secrets.add_token(&format!("token-{token}"));
        }
        let all = "no hunter2 and hunter3 with token-0 and token-3";
        assert_eq!(secrets.hidden(all), "no *** and *** with *** and ***");
        assert_eq!(secrets.hidden("nothing"), "nothing");
        secrets.add_token("");
        secrets.add_token("token-3");
        assert_eq!(secrets.hidden("nothing with token-0"), "nothing with ***");
        secrets.add_token(&format!("token-{TOKENS_MAX}"));
        assert_eq!(secrets.hidden("hunter2 and token-0 with token-4"), "*** and token-0 with ***");
    }
}
