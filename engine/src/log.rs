//! Reading the log: what a reader wants, how much at a time, and what it got.

use crate::{EventSet, Position, RecordedEvent};
use std::borrow::Cow;

/// How many positions one call of `read_log` looks at, at most.
pub const LOOKED_POSITIONS_MAX: u64 = 100_000;

/// How many events or streams one page holds at most: 1 to [`PageLimit::MAX`]. A number outside is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageLimit(u32);

/// The number asked for is no size of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a page of {0} is not allowed: 1 to 10000")]
pub struct PageLimitError(pub u64);

impl PageLimit {
    /// One.
    pub const ONE: Self = Self(1);

    /// What serves most readers: 1 000.
    pub const DEFAULT: Self = Self(1_000);

    /// The largest page: 10 000.
    pub const MAX: Self = Self(10_000);

    /// A page of at most `number`.
    pub const fn new(number: u64) -> Result<Self, PageLimitError> {
        if number == 0 || number > Self::MAX.0 as u64 {
            return Err(PageLimitError(number));
        }
        Ok(Self(number as u32))
    }

    /// The number.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// Which events of the log a reader takes. The default takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    sources: Option<Vec<Source>>,
    tenant: Option<String>,
}

/// A part of the log: the events of some types of a category. `None` stands for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// Only events in streams of this category.
    pub category: Option<Cow<'static, str>>,
    /// Only events of these types.
    pub types: Option<Vec<Cow<'static, str>>>,
}

impl LogFilter {
    /// All events.
    pub fn all() -> Self {
        Self::default()
    }

    /// The events that `S` can be made of, those of its older names included.
    pub fn of<S: EventSet>() -> Self {
        Self { sources: Some(S::sources()), tenant: None }
    }

    /// The events that any of `sources` takes.
    pub fn any_of(sources: impl IntoIterator<Item = Source>) -> Self {
        Self { sources: Some(sources.into_iter().collect()), tenant: None }
    }

    /// Only those in streams of `tenant`.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The parts of the log that are taken; `None` for all of it.
    pub fn sources(&self) -> Option<&[Source]> {
        self.sources.as_deref()
    }

    /// The only tenant that is taken.
    pub fn only_tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Whether `event` is taken.
    pub fn takes(&self, event: &RecordedEvent) -> bool {
        self.takes_type(event.stream.category(), &event.event_type)
            && self.takes_tenant(event.stream.tenant())
    }

    /// Whether events of this category and type are taken, of whatever tenant: what a store asks once a type.
    pub fn takes_type(&self, category: &str, event_type: &str) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.iter().any(|s| s.takes(category, event_type)))
    }

    /// Whether events in streams of this tenant are taken.
    pub fn takes_tenant(&self, tenant: Option<&str>) -> bool {
        self.tenant.is_none() || self.tenant.as_deref() == tenant
    }
}

impl Source {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only events in streams of `category`.
    #[must_use]
    pub fn category(self, category: impl Into<Cow<'static, str>>) -> Self {
        Self { category: Some(category.into()), ..self }
    }

    /// Only events of `types`.
    #[must_use]
    pub fn types<T: Into<Cow<'static, str>>>(self, types: impl IntoIterator<Item = T>) -> Self {
        Self { types: Some(types.into_iter().map(Into::into).collect()), ..self }
    }

    fn takes(&self, category: &str, event_type: &str) -> bool {
        self.category.as_deref().is_none_or(|taken| taken == category)
            && self.types.as_ref().is_none_or(|types| types.iter().any(|taken| taken == event_type))
    }
}

/// A page of the log, and how far the store looked for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogPage {
    /// What the filter took, in log order.
    pub events: Vec<RecordedEvent>,
    /// The page lies behind this position.
    pub after: Position,
    /// The store looked up to and with this position, also past events that the filter left out. Nothing will
    /// ever appear at or below it that this page does not hold. Equal to `after` when there was nothing new.
    pub looked: Position,
    /// The head of the log at that time.
    pub head: Position,
}

impl LogPage {
    /// A page, made by a store.
    pub fn new(events: Vec<RecordedEvent>, after: Position, looked: Position, head: Position) -> Self {
        Self { events, after, looked, head }
    }

    /// Nothing behind `last`.
    pub(crate) fn up_to(mut self, last: Position) -> Self {
        if self.looked > last {
            self.events.retain(|event| event.position <= last);
            self.looked = last;
        }
        self
    }

    /// What of it lies before `position`, which it holds; none where that is nothing.
    pub(crate) fn before(&self, position: Position) -> Option<Self> {
        let last = Position::new(position.get().saturating_sub(1));
        (self.after < last && last < self.looked).then(|| self.clone().up_to(last))
    }

    /// Whether there was nothing new to look at.
    pub fn is_at_head(&self) -> bool {
        self.looked >= self.head
    }
}
