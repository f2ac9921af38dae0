//! TLS: who a server must be before it is told anything.

use crate::own::Own;
use annals::{EventStore, Expected};
use annals_postgres::{PostgresStore, ServerError};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;

/// Whoever signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `host`, and its key.
    fn certificate(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_string()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Gives `server` a certificate for `localhost`.
    fn vouch_for(&self, server: &Own) {
        let (certificate, key) = self.certificate("localhost");
        server.write("server.crt", &certificate);
        server.write("server.key", &key);
    }

    /// A certificate for a user of the server, and its key.
    fn certificate_of(&self, user: &str) -> (String, String) {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new([]).unwrap());
        params.distinguished_name.push(DnType::CommonName, user);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Where its own certificate was written, for `sslrootcert`.
    fn file(&self, name: &str) -> PathBuf {
        file(name, &self.pem)
    }
}

fn file(name: &str, pem: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.pem", std::process::id()));
    std::fs::write(&path, pem).unwrap();
    path
}

/// What opening is refused with.
async fn refusal(own: &Own, host: &str, options: &str) -> ServerError {
    PostgresStore::open(&own.options(host, options)).await.err().unwrap_or_else(|| panic!("{host} {options}"))
}

fn assert_no_tls(error: &ServerError, says: &[&str]) {
    let text = annals::error_text(error);
    assert!(matches!(error, ServerError::Tls { .. }), "{text}");
    for part in says {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Not among the names that this program takes for this machine, but the resolver does: a server elsewhere, so to
/// speak.
const ELSEWHERE: &str = "LOCALHOST";

// Controls, tried: with `prefer` as the rule for servers elsewhere, both tests see LOCALHOST let in; with `verify-full`
// taken as `verify-ca`, this one sees 127.0.0.1 let in.
#[tokio::test]
async fn only_a_server_with_the_right_certificate_is_spoken_to() {
    let Some(own) = Own::new("tls") else { return };
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    ours.vouch_for(&own);
    // Passwords and all the rest over TLS only.
    own.write("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
    own.start(&["ssl=on"]);
    let (ours, other) = (ours.file("ours"), other.file("other"));
    let full = |root: &PathBuf| format!("sslmode=verify-full&sslrootcert={}", root.display());

    let store = PostgresStore::open(&own.options("localhost", &full(&ours))).await.unwrap();
    store.append(crate::place::to("order-1", Expected::NEW, 1)).await.unwrap();
    assert_eq!(store.settings().await.unwrap().tls.as_deref(), Some("TLSv1.3"));
    // What listens and what reads goes the same way.
    let head = *store.head().borrow();
    assert_eq!(head.get(), 1);

    let unknown = ["UnknownIssuer", "sslrootcert=PATH"];
    assert_no_tls(&refusal(&own, "localhost", &full(&other)).await, &unknown);
    assert_no_tls(&refusal(&own, "localhost", "sslmode=verify-full").await, &unknown);
    assert_no_tls(
        &refusal(&own, "127.0.0.1", &full(&ours)).await,
        &["not valid for name", "name the host as"],
    );
    let verify_ca = |root: &PathBuf| full(root).replace("verify-full", "verify-ca");
    PostgresStore::open(&own.options("127.0.0.1", &verify_ca(&ours))).await.unwrap();
    assert_no_tls(&refusal(&own, "127.0.0.1", &verify_ca(&other)).await, &unknown);

    // Nothing said: a certificate is asked for of a server elsewhere, and none on this machine.
    assert_no_tls(&refusal(&own, ELSEWHERE, "").await, &unknown);
    let store = PostgresStore::open(&own.options("127.0.0.1", "")).await.unwrap();
    assert!(store.settings().await.unwrap().tls.is_some(), "used where it is offered");
    PostgresStore::open(&own.options(ELSEWHERE, "sslmode=require")).await.unwrap();
    let denied = refusal(&own, "127.0.0.1", "sslmode=disable").await;
    assert!(matches!(denied, ServerError::Denied { .. }), "{denied}");
    for file in [ours, other] {
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn nothing_goes_in_the_clear_unless_the_url_says_so() {
    let Some(own) = Own::new("clear") else { return };
    own.start(&[]);
    for (host, options) in [
        (ELSEWHERE, ""),
        (ELSEWHERE, "sslmode=require"),
        (ELSEWHERE, "sslmode=verify-full"),
        ("127.0.0.1", "sslmode=require"),
    ] {
        assert_no_tls(&refusal(&own, host, options).await, &["does not support TLS", "say sslmode=disable"]);
    }
    for (host, options) in [(ELSEWHERE, "sslmode=disable"), ("127.0.0.1", "")] {
        let store = PostgresStore::open(&own.options(host, options)).await.unwrap();
        assert_eq!(store.settings().await.unwrap().tls, None);
    }
}

// Control: the server lets in nobody without such a certificate, as is seen here.
#[tokio::test]
async fn a_server_that_asks_who_we_are_is_shown_our_certificate() {
    let Some(own) = Own::new("client-certificate") else { return };
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    ours.vouch_for(&own);
    own.write("clients.crt", &ours.pem);
    own.write("pg_hba.conf", "hostssl all all 127.0.0.1/32 cert\n");
    own.start(&["ssl=on", "ssl_ca_file=clients.crt"]);
    let root = ours.file("ours-for-clients");
    let shown = |name: &str, (certificate, key): (String, String)| {
        let (certificate, key) =
            (file(&format!("{name}-crt"), &certificate), file(&format!("{name}-key"), &key));
        let (root, certificate, key) = (root.display(), certificate.display(), key.display());
        format!("sslmode=verify-full&sslrootcert={root}&sslcert={certificate}&sslkey={key}")
    };
    let right = shown("right", ours.certificate_of("annals"));
    let store = PostgresStore::open(&own.options("localhost", &right)).await.unwrap();
    store.append(crate::place::to("order-1", Expected::NEW, 1)).await.unwrap();

    let none = format!("sslmode=verify-full&sslrootcert={}", root.display());
    for (options, says) in [
        (none, "sslcert=PATH"),
        (shown("of-another-user", ours.certificate_of("clerk")), "sslcert=PATH"),
        (shown("of-another-authority", other.certificate_of("annals")), "ssl_ca_file"),
    ] {
        let text = annals::error_text(&refusal(&own, "localhost", &options).await);
        assert!(text.contains(says), "{options}: {text}");
    }
}
