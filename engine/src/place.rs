//! Where an event stands: in its stream and in the log.

use std::fmt;

macro_rules! place {
    ($(#[$doc:meta])* $name:ident, $(#[$zero_doc:meta])* $zero:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            $(#[$zero_doc])*
            pub const $zero: Self = Self(0);

            /// The place with this number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Its number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The place `count` further on; stays at the largest number there is.
            #[must_use]
            pub const fn plus(self, count: u64) -> Self {
                Self(self.0.saturating_add(count))
            }

            /// How many places lie between `earlier` and this one; 0 when `earlier` is not earlier.
            pub const fn since(self, earlier: Self) -> u64 {
                self.0.saturating_sub(earlier.0)
            }

            /// Its number as SQL stores keep it; the largest `i64` stands for all that lie beyond.
            pub const fn to_i64(self) -> i64 {
                if self.0 > i64::MAX as u64 { i64::MAX } else { self.0 as i64 }
            }

            /// The place that a SQL store kept; a negative number reads as 0, and no store writes one.
            pub const fn from_i64(number: i64) -> Self {
                Self(if number < 0 { 0 } else { number as u64 })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

place! {
    /// The place of an event in its stream: the first event has version 1, an empty stream is at version 0.
    Version,
    /// Of a stream that holds no event.
    EMPTY
}

place! {
    /// The place of an event in the log: strictly increasing in commit order; on SQL stores contiguous from 1.
    Position,
    /// Before the first event.
    START
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_saturate_instead_of_wrapping() {
        assert_eq!(Version::new(u64::MAX).plus(1), Version::new(u64::MAX));
        assert_eq!(Position::START.since(Position::new(9)), 0);
        assert_eq!(Position::new(u64::MAX).to_i64(), i64::MAX);
        assert_eq!(Position::from_i64(-1), Position::START);
    }
}
