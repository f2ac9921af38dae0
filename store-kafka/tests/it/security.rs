//! Who may log in publishes, and who may not is told so soon, without a secret in it.

use crate::{
    broker::topics,
    guarded::{PASSWORD, Tokens, elsewhere, file, guarded, options, said, token, url},
    place::Place,
};
use annals::{Runner, SubscriberError, catch_up, error_text};
use annals_kafka::KafkaOptions;
use annals_services::OwnBroker;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long a login that will never be let in may take to be told so.
pub(crate) const TOLD_MAX: Duration = Duration::from_secs(8);

async fn published(place: &Place) {
    for key in 0..10 {
        place.append("order", key, 3).await;
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let proof = place.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 30, "{proof:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_by_each_mechanism() {
    let Some(broker) = guarded() else { return };
    let user = format!("alice:{PASSWORD}");
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        published(&Place::on(options(&broker, &user, &format!("mechanism={mechanism}")))).await;
    }
}

/// What stands in for Azure Event Hubs: a user called as theirs all are, and a file with the password.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_from_a_file_and_settings_too() {
    let Some(broker) = guarded() else { return };
    let password = file(&broker, &format!("{PASSWORD}\n"));
    let settings = file(&broker, "compression.type=gzip\nsocket.keepalive.enable=true\n");
    let more = format!("password-file={}&settings={}", password.display(), settings.display());
    published(&Place::on(options(&broker, "%24ConnectionString", &more))).await;
}

/// Topics for a token, which makes none itself.
pub(crate) fn make_topics(broker: &OwnBroker, place: &Place) {
    let make = |topic: &str, more: &[&str]| {
        topics(&broker.bootstrap(), &[&["--create", "--topic", topic], more].concat());
    };
    make(&place.topic("order"), &["--partitions", "4"]);
    let control = annals_kafka::Publisher::control_topic(&place.name);
    make(&control, &["--partitions", "1", "--config", "cleanup.policy=compact"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_from_a_file() {
    let Some(broker) = guarded() else { return };
    let path = file(&broker, &token(Duration::from_secs(600)).token);
    let place = Place::on(options(&broker, "", &format!("token-file={}", path.display())));
    place.append("order", 1, 1).await;
    let error = catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap_err();
    let told = error_text(&error);
    assert!(told.contains("annals-publisher-") && told.contains("cleanup.policy=compact"), "{told}");
    make_topics(&broker, &place);
    let place = Place { store: Arc::default(), ..place };
    published(&place).await;
}

// Control, tried: without the thread of `Polled` the session does not even begin, and nothing is ever published.
#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_idles_renews_its_token() {
    let Some(broker) = guarded() else { return };
    let tokens = Tokens::default();
    let by_token = options(&broker, "", "mechanism=OAUTHBEARER").with_token(tokens.source());
    let place = Place::on(broker.url().parse().unwrap());
    make_topics(&broker, &place);
    place.append("order", 1, 1).await;
    let stop = CancellationToken::new();
    let runner = Runner::new(place.store.clone()).with(place.publisher_to(by_token, place.terms()));
    let running = tokio::spawn(runner.run(stop.clone()));
    while place.proof(&["order"]).await.records() < 1 {}
    tokens.asked_for_twice_more().await;
    place.append("order", 1, 1).await;
    let sent = Instant::now();
    while place.proof(&["order"]).await.records() < 2 {}
    assert!(sent.elapsed() < TOLD_MAX, "{:?}", sent.elapsed());
    stop.cancel();
    running.await.unwrap();
}

/// What a publisher says that does not get in, and whether the way back is as closed.
async fn refused(broker: &OwnBroker, options: KafkaOptions) -> String {
    let place = Place::on(broker.url().parse().unwrap());
    place.append("order", 1, 1).await;
    let mut publisher = place.publisher_to(options.clone(), place.terms());
    let begun = Instant::now();
    let error: SubscriberError = catch_up(&*place.store, &mut publisher).await.unwrap_err();
    let told = error_text(&error);
    println!("{:?}: {told}", begun.elapsed());
    assert!(begun.elapsed() < TOLD_MAX, "{:?}: {told}", begun.elapsed());
    assert!(told.contains("; "), "it says no next step: {told}");
    for seen in [told.clone(), format!("{error:?} {options} {options:?} {publisher:?}"), said()] {
        assert!(!seen.contains(PASSWORD) && !seen.contains("battery-staple"), "{seen}");
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_get_in_is_told_why_and_soon() {
    let Some(broker) = guarded() else { return };
    let alice = format!("alice:{PASSWORD}");
    let right = broker.broker().sasl_bootstrap().unwrap();
    let ca = broker.broker().authority();
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let told =
            refused(&broker, options(&broker, "alice:battery-staple", &format!("mechanism={mechanism}")))
                .await;
        assert!(told.contains("see that user, password or token and the mechanism are right"), "{told}");
    }
    let token = token(Duration::ZERO).token;
    let expired = file(&broker, &token);
    let told = refused(&broker, options(&broker, "", &format!("token-file={}", expired.display()))).await;
    assert!(told.contains("token") && !told.contains(&token), "{told}");
    let said = said();
    assert!(said.contains("annals_kafka") && !said.contains(&token), "{said}");
    let no_source = options(&broker, "", "mechanism=OAUTHBEARER");
    let told = refused(&broker, no_source).await;
    assert!(told.contains("token-file=PATH"), "{told}");

    let untrusted = format!("kafka://{alice}@{right}");
    let told = refused(&broker, untrusted.parse().unwrap()).await;
    assert!(
        told.contains("certificate is trusted: ca=PATH") && told.contains("certificate verify failed"),
        "{told}"
    );

    let other = format!("kafka://{alice}@{}?ca={}", elsewhere(&broker), ca.display());
    let told = refused(&broker, other.parse().unwrap()).await;
    assert!(told.contains("certificate"), "{told}");

    let plain_to_tls = format!("kafka://{right}?security=plaintext");
    let told = refused(&broker, plain_to_tls.parse().unwrap()).await;
    assert!(told.contains("expects what security= says"), "{told}");

    let tls_to_plain = format!("kafka://{alice}@{}?ca={}", broker.bootstrap(), ca.display());
    let told = refused(&broker, tls_to_plain.parse().unwrap()).await;
    assert!(told.contains("expects what security= says"), "{told}");

    let no_login = url(&broker, "", "security=ssl");
    refused(&broker, no_login.parse().unwrap()).await;
}
