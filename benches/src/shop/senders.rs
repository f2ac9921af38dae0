use super::Maker;
use annals::{Commit, Expected, StreamId, Version};

/// A stream takes so many commits; then its sender begins another.
const COMMITS_A_STREAM: u64 = 10;

/// More streams than any run begins, as a power of two.
const STREAMS_A_SEED_BITS: u32 = 32;

/// Senders that append each to a stream of its own, one commit after the other.
#[derive(Debug)]
pub struct Senders {
    maker: Maker,
    events_a_commit: u32,
    streams: Vec<Stream>,
    streams_made: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    number: u64,
    commits: u64,
}

impl Senders {
    /// So many senders; each commit holds `events_a_commit`. Those of another seed have other streams.
    pub fn new(seed: u64, senders: usize, events_a_commit: u32) -> Self {
        let full = Stream { number: 0, commits: COMMITS_A_STREAM };
        let (maker, streams_made) = (Maker::new(seed), seed << STREAMS_A_SEED_BITS);
        Self { maker, events_a_commit, streams: vec![full; senders], streams_made }
    }

    /// The next `each` commits of every sender.
    ///
    /// # Errors
    /// When an event cannot be encoded.
    pub fn commits(&mut self, each: usize) -> anyhow::Result<Vec<Vec<Commit>>> {
        let mut of_sender = vec![Vec::with_capacity(each); self.streams.len()];
        // In turns, as they are sent: so the times in the ids rise along the log.
        for _ in 0..each {
            for (sender, commits) in of_sender.iter_mut().enumerate() {
                commits.push(self.commit(sender)?);
            }
        }
        Ok(of_sender)
    }

    fn commit(&mut self, sender: usize) -> anyhow::Result<Commit> {
        let stream = &mut self.streams[sender];
        if stream.commits == COMMITS_A_STREAM {
            *stream = Stream { number: self.streams_made, commits: 0 };
            self.streams_made += 1;
        }
        let id = StreamId::new("order", format_args!("{:010x}", stream.number))?;
        let version = Version::new(stream.commits * u64::from(self.events_a_commit));
        stream.commits += 1;
        let events = self.maker.events(&id, self.events_a_commit)?;
        Ok(Commit::to(id, Expected::Exactly(version), events))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_commit_expects_what_the_one_before_it_leaves() {
        let mut senders = Senders::new(1, 2, 3);
        let first = senders.commits(11).unwrap();
        let of = |commit: &Commit| {
            let write = &commit.writes()[0];
            (write.stream.key().to_string(), write.expected, write.events.len())
        };
        let at = |version| Expected::Exactly(Version::new(version));
        assert_eq!(of(&first[0][1]), ("0100000000".into(), at(3), 3));
        assert_eq!(of(&first[0][10]), ("0100000002".into(), at(0), 3));
        assert_ne!(of(&first[1][0]).0, of(&first[0][0]).0);
        assert_ne!(of(&Senders::new(2, 1, 3).commits(1).unwrap()[0][0]).0, of(&first[0][0]).0);
    }
}
