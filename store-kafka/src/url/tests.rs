use super::*;

fn setting(url: &str, name: &str) -> Option<String> {
    url.parse::<KafkaOptions>().unwrap().config.get(name).map(Into::into)
}

#[test]
fn tls_is_the_rule_but_for_this_machine() {
    let protocol = |url| setting(url, "security.protocol").unwrap();
    assert_eq!(protocol("kafka://127.0.0.1:9092"), "plaintext");
    assert_eq!(protocol("kafka://localhost:9092,[::1]:9093"), "plaintext");
    assert_eq!(protocol("kafka://localhost:9092,kafka.example:9092"), "ssl");
    assert_eq!(protocol("kafka://u:p@127.0.0.1:9092"), "sasl_ssl");
    assert_eq!(protocol("kafka://kafka.example:9092?security=plaintext"), "plaintext");
    assert_eq!(protocol("kafka://u:p@kafka.example:9092?security=sasl_plaintext"), "sasl_plaintext");
    assert_eq!(protocol("kafka://kafka.example:9092?mechanism=OAUTHBEARER"), "sasl_ssl");
}

#[test]
fn an_event_hub_is_a_user_with_a_connection_string() {
    let url = "kafka://%24ConnectionString:Endpoint%3Dsb%3A%2F%2Fx%2F%3BSharedAccessKey%3Dhunter2@x.servicebus.windows.net:9093";
    assert_eq!(setting(url, "sasl.username").unwrap(), "$ConnectionString");
    assert_eq!(setting(url, "sasl.password").unwrap(), "Endpoint=sb://x/;SharedAccessKey=hunter2");
    assert_eq!(setting(url, "sasl.mechanism").unwrap(), "PLAIN");
    let shown = url.parse::<KafkaOptions>().unwrap();
    assert_eq!(format!("{shown} {shown:?}").matches("hunter2").count(), 0);
}

#[test]
fn bad_urls_are_refused_without_their_secrets() {
    for url in [
        "http://127.0.0.1:9092",
        "kafka://",
        "kafka://127.0.0.1",
        "kafka://127.0.0.1:99999",
        "kafka://u:hunter2@kafka.example:9092?security=ssl",
        "kafka://u@kafka.example:9092",
        "kafka://u:hunter2@kafka.example:9092?mechanism=hunter2",
        "kafka://kafka.example:9092?pasword=hunter2",
        "kafka://kafka.example:9092?password-file=/nowhere/annals",
        "kafka://kafka.example:9092?settings=/nowhere/annals",
        "kafka://kafka.example:9092?ca=/nowhere/annals",
        "kafka://u:hunter%zz2%00@kafka.example:9092",
        "kafka://kafka.example:9092?x@y",
    ] {
        let error = url.parse::<KafkaOptions>().unwrap_err();
        assert!(!error.reason().is_empty() && !error.next_step().is_empty());
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
    }
}

#[test]
fn a_file_of_settings_cannot_take_a_promise_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings");
    let url = format!("kafka://127.0.0.1:9092?settings={}", path.display());
    fs::write(&path, "# ours\n\ncompression.type = gzip\n").unwrap();
    assert_eq!(setting(&url, "compression.type").unwrap(), "gzip");
    for line in [
        "enable.idempotence=false",
        "isolation.level=read_uncommitted",
        "message.timeout.ms=1",
        "delivery.timeout.ms=1",
        "linger.ms=500",
        "queue.buffering.max.ms=500",
        "auto.commit.enable=false",
        "hunter2",
    ] {
        fs::write(&path, line).unwrap();
        let error = url.parse::<KafkaOptions>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

/// Broken on purpose, and seen to fail this: settings taken unseen, so that the client refuses them later.
#[test]
fn a_setting_that_the_client_refuses_is_told_by_its_line_and_without_its_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings");
    let url = format!("kafka://127.0.0.1:9092?settings={}", path.display());
    for (line, name) in [
        ("sasl.pasword=hunter2", Some("sasl.pasword")),
        ("sasl.oauthbearer.client.secret=hunter2", Some("sasl.oauthbearer.client.secret")),
        ("broker.address.family=hunter2", Some("broker.address.family")),
        ("debug=broker,hunter2", None),
        ("socket.timeout.ms=hunter2", Some("socket.timeout.ms")),
        ("client.id=hunter2\0", Some("client.id")),
        // A piece of a secret in the place of a name.
        ("hunter2=", None),
        ("Hunter2.hunter2==", None),
    ] {
        fs::write(&path, format!("# ours\nclient.id=x\n{line}\n")).unwrap();
        let error = url.parse::<KafkaOptions>().unwrap_err();
        assert!(error.reason().starts_with("line 3 of settings "), "{error}");
        assert!(name.is_none_or(|name| error.reason().contains(name)), "{error}");
        assert!(!format!("{error} {error:?}").contains("unter2"), "{error}");
    }
}
