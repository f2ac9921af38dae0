//! Which way batches go, and what becomes of rows that the writer numbered itself.

use crate::failure;
use annals::Position;
use sqlx::Error;

/// After a way was refused, so many batches go another one: whoever appends besides us goes on for a while, and repeats
/// come in swarms.
const OTHER_BATCHES: u32 = 16;

/// Which way batches go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Right behind the head that is remembered: nobody else appends.
    Short,
    /// Behind whatever others append, which takes waiting for one's turn. So many batches more.
    BehindOthers(u32),
    /// Each append looked at: others append to the same streams, or events come again. So many batches more.
    Long(u32),
}

/// What became of rows that the writer numbered itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// They stand behind this position.
    Behind(Position),
    /// Nothing was written: the log ends elsewhere, or somebody else is appending.
    Elsewhere,
    /// Nothing was written: somebody began a stream again, which says nothing about other batches.
    StreamTaken,
    /// Nothing was written: an event or a version is there already.
    Taken,
}

impl Written {
    /// Of the answer to a statement: behind which position it wrote, if it did.
    pub(super) fn of(answer: Result<Option<Position>, Error>) -> Result<Self, Error> {
        match answer {
            Ok(Some(head)) => Ok(Self::Behind(head)),
            Ok(None) => Ok(Self::Elsewhere),
            Err(error) if failure::is_position_taken(&error) => Ok(Self::Elsewhere),
            Err(error) if failure::is_stream_taken(&error) => Ok(Self::StreamTaken),
            Err(error) if failure::is_taken(&error) => Ok(Self::Taken),
            Err(error) => Err(error),
        }
    }
}

impl Way {
    /// Which way the next batch goes, after one was `written` where the log was believed to end at `remembered`.
    pub(super) fn after(self, written: Written, remembered: Position) -> Self {
        match written {
            Written::Behind(head) if head == remembered => self.one_less(),
            Written::Behind(_) | Written::Elsewhere => Self::BehindOthers(OTHER_BATCHES),
            Written::StreamTaken => self,
            Written::Taken => Self::Long(OTHER_BATCHES),
        }
    }

    /// The way after a batch that says nothing against another one.
    pub(super) fn one_less(self) -> Self {
        match self {
            Self::BehindOthers(left @ 2..) => Self::BehindOthers(left - 1),
            Self::Long(left @ 2..) => Self::Long(left - 1),
            _ => Self::Short,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_alone_goes_behind_others_until_they_are_gone() {
        let (at, mut way) = (Position::new, Way::Short);
        way = way.after(Written::Behind(at(7)), at(7));
        assert_eq!(way, Way::Short);
        way = way.after(Written::Behind(at(9)), at(8));
        assert_eq!(way, Way::BehindOthers(OTHER_BATCHES));
        for n in 1..OTHER_BATCHES {
            way = way.after(Written::Behind(at(9)), at(9));
            assert_eq!(way, Way::BehindOthers(OTHER_BATCHES - n));
        }
        assert_eq!(way.after(Written::StreamTaken, at(9)), Way::BehindOthers(1));
        assert_eq!(way.after(Written::Behind(at(9)), at(9)), Way::Short);
        assert_eq!(way.after(Written::Elsewhere, at(9)), Way::BehindOthers(OTHER_BATCHES));
        way = way.after(Written::Taken, at(9));
        for _ in 0..OTHER_BATCHES {
            assert!(matches!(way, Way::Long(_)));
            way = way.one_less();
        }
        assert_eq!(way, Way::Short);
    }
}
