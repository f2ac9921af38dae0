use super::*;
use std::{fs, net::TcpStream};

/// Needs Java and the jars; says so where there are none.
#[test]
fn a_broker_starts_and_is_gone_when_it_is_dropped() {
    if let Err(lacking) = kafka_finding() {
        return annals_services::not_run("a broker of xtask", format!("{lacking:#}"));
    }
    let target = std::env::temp_dir().join(format!("annals-xtask-kafka-{}", std::process::id()));
    let kafka = Kafka::start(&target, Stay::UntilDropped).unwrap();
    assert!(kafka.broker.runs().unwrap());
    let (port, directory) = (kafka.port, kafka.broker.directory().to_path_buf());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    // What a killed run leaves is found by what it wrote down.
    let state = State::read(&directory).unwrap();
    assert_eq!((state.port, state.until_down), (port, false));
    drop(kafka);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!directory.exists());
    assert!(!Kafka::stop_left(&target).unwrap());
    fs::remove_dir_all(target).unwrap();
}
