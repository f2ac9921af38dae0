//! A broker that lets in only who logs in over TLS, what is said of it, and where it can be reached wrongly.

use crate::broker::unique;
use annals_kafka::{KafkaOptions, Token};
use annals_services::{KafkaBroker, Logins, OwnBroker, kafka_finding, not_run, this_test};
use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Once, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// After so long a connection must prove anew who it is.
const CONNECTION_LASTS: &str = "connections.max.reauth.ms=4000";

/// One broker for the tests that run at the same time.
pub(crate) fn guarded() -> Option<Arc<OwnBroker>> {
    static BROKER: Mutex<Weak<OwnBroker>> = Mutex::new(Weak::new());
    let mut broker = BROKER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = broker.upgrade() {
        return Some(running);
    }
    let own = Arc::new(guarded_with(&[CONNECTION_LASTS])?);
    *broker = Arc::downgrade(&own);
    Some(own)
}

/// One for one test, set so; where none is installed, says so.
pub(crate) fn guarded_with(settings: &[&str]) -> Option<OwnBroker> {
    if let Err(lacking) = kafka_finding() {
        not_run(&this_test(), format!("{lacking:#}"));
        return None;
    }
    listen();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("guarded"));
    let logins = Logins::new(&[("alice", PASSWORD), ("$ConnectionString", PASSWORD)]).unwrap();
    let own = KafkaBroker::at(directory, false).unwrap().with_logins(logins).unwrap();
    let own = OwnBroker::of(own).unwrap();
    own.start(settings).unwrap();
    Some(own)
}

/// The URL of its guarded side, trusting its authority: `user` as in a URL, `more` options.
pub(crate) fn url(broker: &OwnBroker, user: &str, more: &str) -> String {
    let place = broker.broker().sasl_bootstrap().unwrap();
    let at = if user.is_empty() { "" } else { "@" };
    format!("kafka://{user}{at}{place}?ca={}&{more}", broker.broker().authority().display())
}

pub(crate) fn options(broker: &OwnBroker, user: &str, more: &str) -> KafkaOptions {
    url(broker, user, more).parse().unwrap()
}

/// A file beside the broker's, gone with them.
pub(crate) fn file(broker: &OwnBroker, content: &str) -> PathBuf {
    let path = broker.broker().directory().join(unique("file"));
    std::fs::write(&path, content).unwrap();
    path
}

/// A token as the broker takes it: signed by nobody.
pub(crate) fn token(lasts: Duration) -> Token {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let until = now + lasts;
    // It takes fractions of seconds.
    let claims = format!(
        "{{\"sub\":\"alice\",\"iat\":{},\"exp\":{:.3}}}",
        now.as_secs().saturating_sub(1),
        until.as_secs_f64()
    );
    let token = format!("{}.{}.", base64(b"{\"alg\":\"none\"}"), base64(claims.as_bytes()));
    Token { token, principal: "alice".into(), until_ms: until.as_millis() as i64 }
}

/// Tokens that last for 6 s, and how often one was asked for.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    asked: Arc<AtomicU32>,
    more: Arc<Notify>,
}

impl Tokens {
    pub(crate) fn source(&self) -> impl Fn() -> Result<Token, String> + Send + Sync + 'static {
        let Self { asked, more } = self.clone();
        move || {
            asked.fetch_add(1, Ordering::Relaxed);
            more.notify_one();
            Ok(token(Duration::from_secs(6)))
        }
    }

    pub(crate) async fn asked_for_twice_more(&self) {
        let before = self.asked.load(Ordering::Relaxed);
        while self.asked.load(Ordering::Relaxed) < before + 2 {
            self.more.notified().await;
        }
    }
}

/// For URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        (0..=group.len()).map(|i| char::from(SIGNS[(bits >> (18 - 6 * i) & 63) as usize])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// Another address for the guarded side, for which its certificate is not.
pub(crate) fn elsewhere(broker: &OwnBroker) -> String {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = broker.broker().sasl_bootstrap().unwrap().replace("localhost", "127.0.0.1");
    thread::spawn(move || {
        for from in listener.incoming() {
            let (from, to) = (from.unwrap(), TcpStream::connect(&to).unwrap());
            let mut both = [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)];
            for (mut from, mut to) in
                both.iter_mut().map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()))
            {
                thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    address
}

/// Everything that this program says while its tests run.
pub(crate) fn said() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

static LOG: Mutex<Vec<u8>> = Mutex::new(vec![]);

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}
