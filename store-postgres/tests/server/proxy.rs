//! A way to the server that can swallow answers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Forwards to the server; while it swallows, each answer ends its connection instead of arriving.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    swallowing: Arc<AtomicBool>,
    statements: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let swallowing = Arc::new(AtomicBool::new(false));
        let statements = Arc::new(AtomicUsize::new(0));
        let (swallows, counts) = (swallowing.clone(), statements.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server.clone(), swallows.clone(), counts.clone()));
            }
        });
        Self { port, swallowing, statements }
    }

    /// How many statements were sent so far.
    pub(crate) fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    pub(crate) fn swallow(&self, whether: bool) {
        self.swallowing.store(whether, Ordering::SeqCst);
    }
}

/// Ends with either side.
async fn forward(
    client: TcpStream,
    server: String,
    swallowing: Arc<AtomicBool>,
    statements: Arc<AtomicUsize>,
) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = async {
        let (mut bytes, mut messages) = (vec![0; 64 << 10], Messages::default());
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            statements.fetch_add(messages.statements(&bytes[..count]), Ordering::SeqCst);
            if to_server.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    let answering = async {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if swallowing.load(Ordering::SeqCst) || to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = answering => {}
    }
}

/// What a client sends, cut into messages: a letter and four bytes of length, itself included, before the rest. The
/// first ones, until the session begins, have no letter.
#[derive(Default)]
struct Messages {
    begun: bool,
    head: Vec<u8>,
    rest: usize,
}

/// The request for TLS, which another first message follows.
const TLS_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

impl Messages {
    /// How many messages that begin in `bytes` carry a statement out.
    fn statements(&mut self, bytes: &[u8]) -> usize {
        let mut found = 0;
        for byte in bytes {
            if self.rest > 0 {
                self.rest -= 1;
                continue;
            }
            self.head.push(*byte);
            let letters = usize::from(self.begun);
            // Of a first message the code behind its length is looked at too.
            if self.head.len() < if self.begun { 5 } else { 8 } {
                continue;
            }
            let length: [u8; 4] = self.head[letters..letters + 4].try_into().unwrap();
            self.rest = u32::from_be_bytes(length) as usize + letters - self.head.len();
            found += usize::from(self.begun && matches!(self.head[0], b'E' | b'Q'));
            self.begun |= self.head[4..] != TLS_REQUEST;
            self.head.clear();
        }
        found
    }
}
