//! Faults of reading the log.

use super::*;

/// As a store whose positions are drawn before they are committed: it says it has looked at one that comes later.
#[derive(Default)]
pub(super) struct LooksTooFar;

#[async_trait]
impl Fault for LooksTooFar {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        if page.is_at_head() {
            page.looked = page.looked.plus(1);
        }
        Ok(page)
    }
}

#[derive(Default)]
pub(super) struct LooksToTheHead;

#[async_trait]
impl Fault for LooksToTheHead {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        page.looked = page.head.max(after);
        Ok(page)
    }
}

#[derive(Default)]
pub(super) struct StandsStill;

#[async_trait]
impl Fault for StandsStill {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        page.looked = page.events.last().map_or(after, |event| event.position);
        Ok(page)
    }
}

/// Where a name is asked for, an underscore stands for any character, as in SQL's `LIKE`.
#[derive(Default)]
pub(super) struct Wildcards;

fn like(name: &str, pattern: &str) -> bool {
    name.len() == pattern.len() && name.bytes().zip(pattern.bytes()).all(|(n, p)| p == b'_' || n == p)
}

#[async_trait]
impl Fault for Wildcards {
    async fn streams(
        &self,
        sound: &MemoryStore,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        let mut all = sound.streams(&StreamFilter::all(), after, PageLimit::MAX).await?;
        all.retain(|info| {
            let tenant = info.stream.tenant().unwrap_or_default();
            filter.tenant.as_deref().is_none_or(|wanted| like(tenant, wanted))
                && filter.category.as_deref().is_none_or(|wanted| like(info.stream.category(), wanted))
        });
        all.truncate(limit.get());
        Ok(all)
    }

    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let taken = |event: &RecordedEvent| {
            let category = |source: &annals::Source| {
                source.category.as_deref().is_none_or(|wanted| like(event.stream.category(), wanted))
            };
            filter.sources().is_none_or(|sources| sources.iter().any(category))
        };
        let mut page = sound.read_log(after, limit, &LogFilter::all()).await?;
        page.events.retain(taken);
        Ok(page)
    }
}
