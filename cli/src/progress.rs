//! Progress on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    fmt,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// What is done sooner shows no progress.
pub const PROGRESS_AFTER: Duration = Duration::from_secs(1);

/// How often a terminal is drawn on, per second, at most.
const DRAWN_PER_SECOND: u8 = 10;

/// Shows how far something has come: a bar on stderr, once it has taken [`PROGRESS_AFTER`], if stderr is a terminal
/// and nobody asked for quiet. Clones show the same bar.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
    waiting: Arc<AtomicBool>,
}

impl Progress {
    pub(crate) fn new(what: &str, visible: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} {eta}";
        bar.set_style(
            ProgressStyle::with_template(template).expect("the template is fixed").progress_chars("=> "),
        );
        bar.set_message(what.to_string());
        Self { bar, began: Instant::now(), waiting: Arc::new(AtomicBool::new(visible)) }
    }

    /// It has come to `at` of `of`, in whatever unit.
    pub fn at(&self, at: u64, of: u64) {
        self.bar.set_length(of.max(at));
        self.bar.set_position(at);
        if self.began.elapsed() >= PROGRESS_AFTER && self.waiting.swap(false, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND));
        }
    }

    /// Says what is going on now.
    pub fn says(&self, what: impl fmt::Display) {
        self.bar.set_message(what.to_string());
    }

    /// Takes the bar away.
    pub fn done(&self) {
        self.waiting.store(false, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress({}/{:?})", self.bar.position(), self.bar.length())
    }
}
