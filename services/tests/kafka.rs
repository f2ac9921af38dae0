//! A broker of our own, with what comes with it. Needs Java and the jars that `cargo xtask up` fetches; says so where
//! they are lacking.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

use annals_services::{KafkaBroker, KafkaTool, Logins, OwnBroker, kafka_finding, not_run, this_test};
use std::{
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Set in the process that is started only to be killed: the directory of its broker.
const OWNER: &str = "ANNALS_SERVICES_OWNER_OF";

fn wanted() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("brokers")
}

/// Whether there is what a broker needs; where not, it is said out loud.
fn can_run() -> bool {
    let Err(lacking) = kafka_finding() else { return true };
    not_run(&this_test(), format!("{lacking:#}"));
    false
}

fn topics(bootstrap: &str, arguments: &[&str]) -> String {
    KafkaTool::find().unwrap().topics(bootstrap, arguments).unwrap()
}

#[test]
fn what_a_killed_broker_had_is_there_when_it_starts_again_and_another_one_has_it_not() {
    if !can_run() {
        return;
    }
    let start = |name| {
        let own = OwnBroker::make(&wanted(), name).unwrap();
        own.start(&["message.max.bytes=2097152"]).unwrap();
        own
    };
    let (own, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| start("other"));
        (start("killed"), other.join().unwrap())
    });
    topics(&own.bootstrap(), &["--create", "--topic", "kept", "--partitions", "3"]);
    own.kill().unwrap();
    assert!(!own.broker().runs().unwrap());
    assert!(TcpStream::connect(own.bootstrap()).is_err());
    own.start(&[]).unwrap();
    let told = topics(&own.bootstrap(), &["--describe", "--topic", "kept"]);
    assert!(told.contains("PartitionCount: 3"), "{told}");
    assert!(!topics(&other.bootstrap(), &["--list"]).contains("kept"));
    other.stop().unwrap();
    assert!(!other.broker().runs().unwrap());
    let (directory, bootstrap) = (own.broker().directory().to_owned(), own.bootstrap());
    drop(own);
    assert!(!directory.exists() && TcpStream::connect(bootstrap).is_err());
}

#[test]
fn a_broker_that_does_not_start_says_why() {
    if !can_run() {
        return;
    }
    let own = OwnBroker::make(&wanted(), "wrong").unwrap();
    let error = own.start(&["log.segment.bytes=many"]).unwrap_err().to_string();
    assert!(error.contains("does not start") && error.contains("log.segment.bytes"), "{error}");
    assert!(!own.broker().runs().unwrap());
}

/// Not a test of its own: what [`a_broker_ends_with_its_owner`] starts and kills.
#[test]
fn owner() {
    let Some(directory) = std::env::var_os(OWNER) else { return };
    let own = OwnBroker::of(KafkaBroker::at(directory.into(), false).unwrap()).unwrap();
    own.start(&[]).unwrap();
    std::io::stderr().write_all(b"started\n").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

// Control, tried: without `ending_with_us` in `OwnBroker::of` the broker is there until somebody ends it.
#[test]
fn a_broker_ends_with_its_owner() {
    if !can_run() {
        return;
    }
    let directory = wanted().join(format!("orphan-{}", std::process::id()));
    let mut owner = Command::new(std::env::current_exe().unwrap());
    owner.args(["--exact", "owner", "--nocapture"]).env(OWNER, &directory);
    let mut owner = owner.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let said = std::io::BufReader::new(owner.stderr.take().unwrap());
    let started = std::io::BufRead::lines(said).map_while(Result::ok).any(|line| line == "started");
    let broker = KafkaBroker::at(directory, false).unwrap();
    assert!(started && broker.runs().unwrap());
    owner.kill().unwrap();
    owner.wait().unwrap();
    let ended = broker.ends_by_itself().unwrap();
    broker.remove().unwrap();
    assert!(ended);
}

#[test]
fn a_broker_with_logins_lets_in_who_has_the_password_and_trusts_its_authority() {
    if !can_run() {
        return;
    }
    let directory = wanted().join(format!("logins-{}", std::process::id()));
    let logins = Logins::new(&[("alice", "alice-secret")]).unwrap();
    let topics = wanted().join(format!("elsewhere-{}", std::process::id()));
    let broker = KafkaBroker::at(directory, false).unwrap().with_logins(logins).unwrap();
    let own = OwnBroker::of(broker.with_data(&topics)).unwrap();
    own.start(&[]).unwrap();
    let bootstrap = own.broker().sasl_bootstrap().unwrap();
    let list = |mechanism: &str, login: &str| {
        let text = format!(
            "security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nssl.truststore.type=PEM\n\
             ssl.truststore.location={}\nrequest.timeout.ms=10000\ndefault.api.timeout.ms=10000\n\
             sasl.jaas.config=org.apache.kafka.common.security.{login};\n",
            own.broker().authority().display()
        );
        let path = own.broker().directory().join("client.properties");
        std::fs::write(&path, text).unwrap();
        let config = path.to_str().unwrap();
        let arguments = ["--command-config", config, "--list"];
        KafkaTool::find().unwrap().topics(&bootstrap, &arguments).map_err(|error| error.to_string())
    };
    let scram = "scram.ScramLoginModule required username=\"alice\" password";
    let plain = "plain.PlainLoginModule required username=\"alice\" password";
    let bearer = "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub";
    list("PLAIN", &format!("{plain}=\"alice-secret\"")).unwrap();
    list("SCRAM-SHA-512", &format!("{scram}=\"alice-secret\"")).unwrap();
    list("OAUTHBEARER", &format!("{bearer}=\"alice\"")).unwrap();
    let refused = list("SCRAM-SHA-256", &format!("{scram}=\"wrong\"")).unwrap_err();
    assert!(refused.contains("SaslAuthenticationException"), "{refused}");
    assert!(topics.join("meta.properties").is_file());
    drop(own);
    std::fs::remove_dir_all(topics).unwrap();
}
