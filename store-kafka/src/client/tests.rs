use super::*;
use crate::Token;
use std::sync::atomic::{AtomicI64, Ordering};

/// Hears for a client whose first token lasts so many seconds from now, and who is given no second one.
fn hearing(lasts_seconds: i64) -> Hearing {
    let left = AtomicI64::new(1);
    let source: TokenSource = Arc::new(move || match left.fetch_sub(1, Ordering::Relaxed) {
        1 => {
            let until_ms = Utc::now().timestamp_millis() + 1_000 * lasts_seconds;
            Ok(Token { token: "t".into(), principal: "alice".into(), until_ms })
        }
        _ => Err("nobody answers".into()),
    });
    Hearing { token: Some(source), ..Hearing::default() }
}

fn refused() -> KafkaError {
    KafkaError::Global(RDKafkaErrorCode::Authentication)
}

/// Broken on purpose, and seen to fail this: any token that is not given shuts the client out.
#[test]
fn a_token_that_is_not_renewed_is_no_reason_to_end_while_the_one_before_it_is_good() {
    for (lasts_seconds, ends) in [(60, false), (-1, true)] {
        let hearing = hearing(lasts_seconds);
        assert!(hearing.generate_oauth_token(None).is_ok());
        assert!(hearing.generate_oauth_token(None).is_err());
        hearing.error(refused(), "no token");
        assert_eq!(hearing.hopeless().is_some(), ends, "{lasts_seconds}");
    }
}

/// Broken on purpose, and seen to fail this: nothing is forgotten when a record arrives.
#[test]
fn a_login_that_was_refused_is_forgotten_when_somebody_answers() {
    let hearing = Hearing::default();
    hearing.error(refused(), "wrong password");
    let late = || KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
    assert_eq!(told(late(), &hearing), refused());
    hearing.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "all down");
    assert_eq!(hearing.hopeless(), Some(refused()));
    hearing.answered();
    assert_eq!((told(late(), &hearing), hearing.hopeless()), (late(), None));
}
