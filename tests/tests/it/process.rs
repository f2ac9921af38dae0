//! A process that a story starts, listens to, pauses and kills.

use annals::Position;
use annals_tests::Report;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a story waits for the next line of a process, or for its end.
pub(crate) const LINE_MAX: Duration = Duration::from_secs(60);

/// How many lines a failure quotes.
const QUOTED_LINES_MAX: usize = 20;

/// A process that tells reports. Killed and reaped when the story ends, however it ends.
pub(crate) struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Report>,
    listener: Option<JoinHandle<()>>,
    last: Vec<Report>,
    /// How far each subscriber has come, by all lines so far.
    handled: HashMap<String, Position>,
}

impl Process {
    /// Starts the shopkeeper with `arguments`.
    pub(crate) fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let mut child = Command::new(env!("CARGO_BIN_EXE_shopkeeper"))
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, lines) = channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let listener = std::thread::spawn(move || {
            let mut line = String::new();
            // What a killed process did not finish is no line: nobody was told it.
            while stdout.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
                if told.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        let stdin = child.stdin.take();
        Self {
            name: arguments.join(" "),
            child,
            stdin,
            lines,
            listener: Some(listener),
            last: vec![],
            handled: HashMap::new(),
        }
    }

    /// Its next line; `None` when it has ended.
    pub(crate) fn next(&mut self) -> Option<Report> {
        match self.lines.recv_timeout(LINE_MAX) {
            Ok(report) => {
                self.heard(report.clone());
                Some(report)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("`{}` said nothing for {LINE_MAX:?}; before that: {:#?}", self.name, self.last)
            }
        }
    }

    fn heard(&mut self, report: Report) {
        if let Report::Handled { subscriber, at } | Report::Began { subscriber, at } = &report {
            self.handled.insert(subscriber.clone(), *at);
        }
        if self.last.len() == QUOTED_LINES_MAX {
            // What failed is quoted for longest: the rest is mostly signs of life.
            let quoted = self.last.iter().position(|told| !matches!(told, Report::Failed { .. }));
            self.last.remove(quoted.unwrap_or(0));
        }
        self.last.push(report);
    }

    /// Its next line that `wanted` takes, within [`LINE_MAX`] in all; those before it are passed over.
    pub(crate) fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Report) -> Option<T>) -> T {
        let deadline = Instant::now() + LINE_MAX;
        while Instant::now() < deadline {
            let Some(report) = self.next() else {
                panic!("`{}` ended before {what}; it said: {:#?}", self.name, self.last);
            };
            if let Some(found) = wanted(&report) {
                return found;
            }
        }
        panic!("`{}` did not tell {what} within {LINE_MAX:?}; it said: {:#?}", self.name, self.last)
    }

    /// Waits until it has told that `subscriber` handled everything up to `position`, in whatever line that was.
    pub(crate) fn until_handled(&mut self, subscriber: &str, position: Position) {
        while !self.has_handled(subscriber, position) {
            self.until("that a page was handled", |report| {
                matches!(report, Report::Handled { .. } | Report::Began { .. }).then_some(())
            });
        }
    }

    /// Whether it has told by now that `subscriber` handled everything up to `position`.
    pub(crate) fn has_handled(&self, subscriber: &str, position: Position) -> bool {
        self.handled.get(subscriber).is_some_and(|at| *at >= position)
    }

    /// What it has failed with by now, of all that it told and nobody has heard yet.
    pub(crate) fn failures(&mut self) -> Vec<String> {
        let mut failures = vec![];
        while let Ok(report) = self.lines.try_recv() {
            if let Report::Failed { error, .. } = &report {
                failures.push(error.clone());
            }
            self.heard(report);
        }
        failures
    }

    /// Everything it still tells until it has ended.
    pub(crate) fn rest(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Says `word` to it.
    pub(crate) fn tell(&mut self, word: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{word}").and_then(|()| stdin.flush()).unwrap();
    }

    /// Kills it as `kill -9` does, and returns what it had told by then.
    pub(crate) fn kill(&mut self) -> Vec<Report> {
        self.signal(Signal::KILL);
        let rest = self.rest();
        self.ended();
        rest
    }

    /// Sends `signal`. One that stops the process is waited for: until all of its threads stand still, one of them may
    /// still take a lock.
    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_child(&self.child);
        kill_process(process, signal).unwrap();
        if signal == Signal::STOP {
            let (_, status) = waitpid(Some(process), WaitOptions::UNTRACED).unwrap().unwrap();
            assert!(status.stopped(), "{status:?}");
        }
    }

    /// Waits until it has ended; its output has ended before.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago; then there is nothing to kill, and waiting returns at once.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
