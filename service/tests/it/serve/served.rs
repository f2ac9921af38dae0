use crate::program::Program;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command},
    time::Duration,
};
use ureq::{Agent, http::Method};

/// No request takes longer, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running service; killed when it is dropped.
pub(super) struct Served {
    child: Child,
    url: String,
    agent: Agent,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) location: Option<String>,
    pub(super) body: Value,
}

impl Served {
    /// Starts it on a free port, with its files in the directory of `program`.
    pub(super) fn start(program: &Program) -> Self {
        let mut child = program.start(["serve", "--listen", "127.0.0.1:0", "--json"]);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = serde_json::from_str::<Value>(&line).unwrap()["listening"].as_str().unwrap().to_string();
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self { child, url, agent: config.build().into() }
    }

    /// A request with these headers and this body, as they are.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut response = self.agent.run(request.body(body.to_string())?)?;
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_string());
        let (kind, location) = (header("content-type").unwrap_or_default(), header("location"));
        let body = response.body_mut().read_json()?;
        Ok(Answer { status: response.status().as_u16(), kind, location, body })
    }

    /// A command under a key.
    pub(super) fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.send(Method::POST, path, &headers, &body.to_string()).unwrap()
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").unwrap()
    }

    /// Takes pieces in, and waits until the read model shows them.
    pub(super) fn receive(&self, sku: &str, pieces: u32) {
        let delivery = json!({ "quantity": pieces, "reference": "delivery note" });
        let answer = self.post(&format!("/stock/{sku}/receive"), &format!("delivery of {sku}"), &delivery);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(self.get(&answer.location.unwrap()).body["on_hand"], pieces);
    }

    /// The order under `path`, as soon as it is decided.
    pub(super) fn decided(&self, path: &str) -> Value {
        let began = std::time::Instant::now();
        loop {
            let order = self.get(path).body;
            if order["status"] != "placed" {
                return order;
            }
            assert!(began.elapsed() < PATIENCE, "nothing decides {order}");
            std::thread::yield_now();
        }
    }

    /// Sends it a signal by its name, as `TERM`.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end: the exit code, and what it said on stderr.
    pub(super) fn ended(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An order of so many pieces of one article, at £2.50 each.
pub(super) fn order(sku: &str, quantity: u32) -> Value {
    let line = json!({ "sku": sku, "quantity": quantity, "unit_price_minor": 250 });
    json!({ "customer": "17850", "currency": "GBP", "lines": [line] })
}
