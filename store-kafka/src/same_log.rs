//! Whether the log that a publisher goes on with is the one that it has published from.

use crate::{PublishError, Publisher, control::Control};
use annals::{LogFilter, PageLimit, Position, SubscriberError};

impl Publisher {
    /// Refuses another log under the name of this publisher: its events would be taken for published that never were.
    ///
    /// That a log ends before what was published is told by the loop that reads it.
    pub(crate) async fn check_log(&self, control: &Control) -> Result<(), SubscriberError> {
        let Some(last) = control.last else { return Ok(()) };
        let before = Position::new(last.position.get().saturating_sub(1));
        let page = self.store.read_log(before, PageLimit::ONE, &LogFilter::all()).await?;
        match page.events.first() {
            _ if page.head < last.position => Ok(()),
            Some(event) if event.position == last.position && event.id == last.event => Ok(()),
            _ => {
                let (place, position, event) = (self.options.to_string(), last.position, last.event);
                Err(PublishError::OtherLog { place, position, event }.of(&self.name))
            }
        }
    }
}
