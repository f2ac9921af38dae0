//! What a process tells the story that started it: one JSON object a line.

use annals::{CommandId, Commit, Committed, EventId, Position, Version};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// One line of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Everything is open; it begins when it is told to.
    Ready,
    /// A commit to one stream was acknowledged: from here on it must never be lost.
    Acknowledged {
        /// The stream.
        stream: String,
        /// The ids of its events, in order.
        events: Vec<EventId>,
        /// The version of the last one; `None` from a process that acknowledges before it knows.
        version: Option<Version>,
        /// Its position.
        position: Option<Position>,
    },
    /// A commit came again: its first event was there.
    Repeated {
        /// The stream.
        stream: String,
    },
    /// A commit stands still on its way to the store, for the story to pause its process.
    Standing,
    /// A command was answered.
    Answered {
        /// Its id.
        command: CommandId,
        /// The stream it went to.
        stream: String,
        /// The version it left, or found when there was nothing to do.
        version: Version,
        /// The position of that version.
        position: Position,
        /// How many events it left.
        events: u64,
        /// It had arrived before.
        repeated: bool,
        /// How often it was tried.
        attempts: u32,
    },
    /// A subscriber took its lease and stands here.
    Began {
        /// Which subscriber.
        subscriber: String,
        /// Where it stands.
        at: Position,
    },
    /// A subscriber handled everything up to here.
    Handled {
        /// Which subscriber.
        subscriber: String,
        /// Where it stands now.
        at: Position,
    },
    /// A subscriber stands still with a page in hand, for the story to kill its process.
    Holding {
        /// Which subscriber.
        subscriber: String,
        /// The end of the page.
        at: Position,
    },
    /// Another process holds the lease of a subscriber.
    StandsBy {
        /// Which subscriber.
        subscriber: String,
        /// Who holds it.
        holder: String,
        /// How long it lasts without a sign of life.
        remaining_ms: u64,
    },
    /// A subscriber wanted to write after another process had taken its lease over, and could not.
    Fenced {
        /// Which subscriber.
        subscriber: String,
        /// `handle` or `tend`.
        doing: String,
    },
    /// Something else failed, in words.
    Failed {
        /// What.
        what: String,
        /// Why.
        error: String,
    },
    /// Everything it was asked for is done.
    Finished,
}

impl Report {
    /// What is acknowledged of `commit`; `committed` is `None` before the store has answered.
    pub fn acknowledged(commit: &Commit, committed: Option<&Committed>) -> Vec<Self> {
        let of = |write: &annals::Write| Self::Acknowledged {
            stream: write.stream.to_string(),
            events: write.events.iter().map(|event| event.id).collect(),
            version: committed.and_then(|done| done.written_to(&write.stream)).map(|written| written.last),
            // The position belongs to the last event of the commit.
            position: committed.filter(|_| commit.writes().len() == 1).map(|done| done.position),
        };
        commit.writes().iter().map(of).collect()
    }

    /// How a command was answered.
    pub fn answered(command: CommandId, done: &annals::Done) -> Self {
        Self::Answered {
            command,
            stream: done.stream.to_string(),
            version: done.version,
            position: done.position,
            events: done.events,
            repeated: done.repeated,
            attempts: done.attempts,
        }
    }

    /// Writes the line to stdout, whole or not at all: a line is one write to a pipe.
    ///
    /// # Panics
    /// When nobody reads: the story has ended, and so does its process.
    pub fn tell(&self) {
        let mut line = serde_json::to_vec(self).expect("reports are plain data");
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line).and_then(|()| stdout.flush()).expect("the story reads what its process says");
    }
}
