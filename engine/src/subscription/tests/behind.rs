//! What the metric says of how far a subscriber is behind.

use super::*;
use crate::metered::Metered;

const BEHIND: &str = "annals_events_behind";

/// Told wrongly, as it was: set to what lies behind the page before the page is handled, it says 0 of a subscriber that
/// is stuck in its last page.
#[tokio::test]
async fn a_subscriber_that_is_stuck_in_its_last_page_is_behind_by_all_of_it() {
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    let (store, _) = shop();
    orders(&*store, 0..10).await;
    let mut witness = Witness::default();
    witness.seen().fail_at = vec![7];
    catch_up(&*store, &mut witness).await.unwrap_err();
    assert_eq!(metered.told(BEHIND).last(), Some(&10.0), "nothing of the page is handled");
    catch_up(&*store, &mut witness).await.unwrap();
    assert_eq!(metered.told(BEHIND).last(), Some(&0.0));
}

#[tokio::test]
async fn a_subscriber_on_its_way_is_behind_by_what_it_has_not_handled() {
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    catch_up(&*store, &mut Witness::default()).await.unwrap();
    assert_eq!(metered.told(BEHIND), [2_500.0, 1_500.0, 1_500.0, 500.0, 500.0, 0.0]);
}

/// What a filter leaves out needs no handling: nobody is behind for it.
#[tokio::test]
async fn what_a_filter_leaves_out_is_handled_when_it_is_looked_at() {
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    let (store, _) = shop();
    orders(&*store, 0..10).await;
    let witness = Witness::default();
    witness.seen().filter = LogFilter::any_of([Source::all().category("stock")]);
    catch_up(&*store, &mut witness.clone()).await.unwrap();
    assert_eq!(metered.told(BEHIND).last(), Some(&0.0));
}
