//! Older shapes of events, read as today's.

use serde_json::Value;

/// One step from an older shape of an event type to a newer one.
///
/// The steps of a type are numbered 1, 2, 3… by the schema version they start from, in order; the compiler checks
/// it. A type's current schema version is one past its last step; what is written carries that number. A stored
/// version newer than the program knows is an error, never a guess.
///
/// ```
/// use annals::{DomainEvent, Upcast};
/// use serde_json::json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// enum OrderEvent {
///     Placed { customer: String, currency: String },
///     Packed { by: String },
///     Shipped { carrier: String },
/// }
///
/// impl DomainEvent for OrderEvent {
///     const CATEGORY: &'static str = "order";
///     const UPCASTS: &'static [Upcast] = &[
///         Upcast::rename("Opened", 1, "Placed", 1),
///         Upcast::body("Placed", 1, |mut body| {
///             body["currency"] = "GBP".into();
///             Ok(body)
///         }),
///         Upcast::split("Dispatched", 1, |body| {
///             Ok(vec![
///                 ("Packed", 1, json!({ "by": body["packer"] })),
///                 ("Shipped", 1, json!({ "carrier": body["carrier"] })),
///             ])
///         }),
///     ];
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Upcast {
    pub(crate) from: &'static str,
    pub(crate) version: u32,
    pub(crate) step: Step,
}

/// An event that an upcast makes: its type, the schema version of its body, and the body.
pub type Upcasted = (&'static str, u32, Value);

/// The most steps that one stored event may take; more means that the steps go in circles.
pub const UPCAST_STEPS_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Rename(&'static str, u32),
    Body(fn(Value) -> Result<Value, &'static str>),
    Split(fn(Value) -> Result<Vec<Upcasted>, &'static str>),
}

impl Upcast {
    /// `from` at `version` is today called `to`, with a body of `to_version`.
    pub const fn rename(from: &'static str, version: u32, to: &'static str, to_version: u32) -> Self {
        Self { from, version, step: Step::Rename(to, to_version) }
    }

    /// The body of `event_type` at `version` becomes one of `version + 1`. A refusal says why.
    pub const fn body(
        event_type: &'static str,
        version: u32,
        change: fn(Value) -> Result<Value, &'static str>,
    ) -> Self {
        Self { from: event_type, version, step: Step::Body(change) }
    }

    /// `from` at `version` becomes several events, or none. Each names its own type and schema version; further
    /// steps start from there.
    pub const fn split(
        from: &'static str,
        version: u32,
        change: fn(Value) -> Result<Vec<Upcasted>, &'static str>,
    ) -> Self {
        Self { from, version, step: Step::Split(change) }
    }

    /// The event type that the step starts from.
    pub const fn from(&self) -> &'static str {
        self.from
    }

    /// The schema version that the step starts from.
    pub const fn version(&self) -> u32 {
        self.version
    }
}

/// The schema version in which `event_type` is written today.
pub(crate) const fn current_version(chain: &[Upcast], event_type: &str) -> u32 {
    let (mut i, mut version) = (0, 1);
    while i < chain.len() {
        if same(chain[i].from, event_type) && chain[i].version >= version {
            version = chain[i].version + 1;
        }
        i += 1;
    }
    version
}

/// Whether the steps of each type are numbered 1, 2, 3… in order.
pub(crate) const fn is_whole(chain: &[Upcast]) -> bool {
    let mut i = 0;
    while i < chain.len() {
        let (mut j, mut want) = (0, 1);
        while j < i {
            if same(chain[j].from, chain[i].from) {
                want += 1;
            }
            j += 1;
        }
        if chain[i].version != want {
            return false;
        }
        i += 1;
    }
    true
}

// `str` comparison is not const.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
