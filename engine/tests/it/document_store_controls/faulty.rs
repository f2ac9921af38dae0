//! A sound store of documents with one fault.

use super::{needs::Needs, *};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    Sound,
    OpensAnyVersion,
    GivesLeasesAway,
    ReusesEpochs,
    FencesNobody,
    KeepsNoLeaseAlive,
    CountsTwice,
    Tears,
    TellsNothing,
    TakesNul,
    HasNoLimits,
    ListsUnordered,
    LoadsSorted,
    ForgetsDeletions,
    RebuildsAnew,
    SwitchesBehind,
    LetsTheRetiredWrite,
    ComparesText,
    ComparesApart,
    ComparesReplaced,
    FencesNobodyOnPurpose,
    ForgetsAttempts,
    SettlesWholeKeys,
    AsksForEver,
    AnswersTooEarly,
    RequestsAnything,
    PurgesAtOnce,
    HasOneLane,
    BelievesParts,
    OverlooksParking,
    TearsParts,
    HearsNoSignOfLife,
    CountsLanesTwice,
    RebuildsOlder,
    SharesDocuments,
    FailsBesideOthers,
}

/// The sound store, with a fault and what the fault needs.
pub(super) struct Faulty(pub(super) Arc<MemoryDocuments>, pub(super) Fault, pub(super) Needs);

#[async_trait]
impl Checkpoints for Faulty {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        match self.0.open(name, version).await {
            Err(OpenError::Outdated { generation, .. } | OpenError::NeedsRebuild { generation, .. })
                if self.is(Fault::OpensAnyVersion) =>
            {
                Ok(SubscriberId::new(name, generation)?)
            }
            outcome => outcome,
        }
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        let outcome = self.0.acquire(subscriber, terms).await;
        match outcome {
            Err(LeaseError::Held { .. })
                if self.is(Fault::GivesLeasesAway)
                    || (self.is(Fault::HearsNoSignOfLife) && self.2.is_old()) =>
            {
                let step = Step {
                    subscriber: subscriber.clone(),
                    epoch: Epoch(0),
                    from: Position::START,
                    to: Position::START,
                };
                let held = Lease::new(subscriber.clone(), self.newest(&step).await, Position::START);
                self.0
                    .release(&held)
                    .await
                    .map_err(|e| LeaseError::Store(StoreError::permanent("releasing", e)))?;
                self.0.acquire(subscriber, terms).await
            }
            Ok(lease) if self.is(Fault::ReusesEpochs) => {
                Ok(Lease::new(lease.subscriber.clone(), Epoch(1), lease.checkpoint))
            }
            outcome => outcome,
        }
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        if self.is(Fault::FencesNobodyOnPurpose) {
            let at = self.known(subscriber).await?.checkpoint;
            return Ok(Lease::new(subscriber.clone(), Epoch(u64::MAX), at));
        }
        self.0.take_over(subscriber, terms).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        if self.is(Fault::KeepsNoLeaseAlive) {
            return Ok(());
        }
        self.outcome(self.0.renew(lease).await)
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.0.release(lease).await
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        self.outcome(self.0.advance(&self.taken(step).await?).await)
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        self.0.report(subscriber, failure).await
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        let mut all = self.0.subscribers().await?;
        if self.is(Fault::ListsUnordered) {
            // As text, 10 comes before 9.
            all.sort_by_key(|info| info.subscriber.to_string());
        }
        Ok(all)
    }

    fn moved(&self) -> watch::Receiver<u64> {
        match self.1 {
            Fault::TellsNothing => self.2.nobody.subscribe(),
            _ => self.0.moved(),
        }
    }
}

#[async_trait]
impl DocumentStore for Faulty {
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError> {
        let mut keys = keys.to_vec();
        if self.is(Fault::LoadsSorted) {
            keys.sort();
        }
        self.0.load(of, &keys).await
    }

    async fn commit(&self, step: &Step, mut page: PageWrite) -> Result<(), CheckpointError> {
        let step = self.taken(step).await?;
        match self.1 {
            Fault::TakesNul => {
                for (_, change) in &mut page.changes {
                    if let Change::Put(json) = change {
                        *json = Json::stored(json.as_str().replace("\\u0000", " "));
                    }
                }
            }
            Fault::HasNoLimits => page.changes.retain(|(_, change)| {
                !matches!(change, Change::Put(json) if json.bytes() > annals::DOCUMENT_BYTES_MAX)
            }),
            Fault::ForgetsDeletions => page.changes.retain(|(_, change)| matches!(change, Change::Put(_))),
            Fault::Tears => {
                let stay = Step { to: step.from, ..step.clone() };
                for change in page.changes.drain(..) {
                    self.0.commit(&stay, PageWrite { changes: vec![change], ..PageWrite::default() }).await?;
                    // Long enough for a reader to come by.
                    for _ in 0..200 {
                        tokio::task::yield_now().await;
                    }
                }
            }
            Fault::ForgetsAttempts => {
                let known = self.0.parked(&step.subscriber, None, None, PageLimit::MAX).await?;
                page.park.retain(|new| !known.iter().any(|p| p.key == new.key && p.position == new.position));
            }
            Fault::SettlesWholeKeys => {
                let known = self.0.parked(&step.subscriber, None, None, PageLimit::MAX).await?;
                let same_key = |parked: &&Parked| page.settled.iter().any(|(key, _)| *key == parked.key);
                page.settled = known.iter().filter(same_key).map(|p| (p.key.clone(), p.position)).collect();
            }
            _ => {}
        }
        let before = self.0.requests(&step.subscriber, PageLimit::MAX).await?;
        let keys: Vec<Arc<str>> = page.park.iter().map(|parked| parked.key.clone()).collect();
        self.outcome(self.0.commit(&step, page).await)?;
        if self.is(Fault::AsksForEver) {
            for request in &before {
                self.0.request(&step.subscriber, request).await?;
            }
        }
        if self.is(Fault::AnswersTooEarly) && before.iter().any(|request| keys.contains(&request.key)) {
            // Whatever is parked under the key carries the request out: it is parked once more.
            let all = self.0.parked(&step.subscriber, None, None, PageLimit::MAX).await?;
            let park = all.into_iter().filter(|parked| keys.contains(&parked.key)).collect();
            let again = Step { from: step.to, ..step.clone() };
            self.0.commit(&again, PageWrite { park, ..PageWrite::default() }).await?;
        }
        Ok(())
    }

    async fn divide(&self, lease: &Lease, count: u32) -> Result<bool, CheckpointError> {
        self.0.divide(lease, count).await
    }

    async fn lanes(&self, lease: &Lease) -> Result<Vec<Position>, CheckpointError> {
        self.0.lanes(lease).await
    }

    async fn commit_lane(&self, lane: u32, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        let lane = if self.is(Fault::HasOneLane) { 0 } else { lane };
        let step = self.taken_in_lane(lane, step).await?;
        self.0.commit_lane(lane, &step, page).await
    }

    async fn commit_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        let step = self.taken(step).await?;
        let _alone = match self.1 {
            Fault::FailsBesideOthers => Some(self.2.alone(seen).await?),
            _ => None,
        };
        let mut seen = seen.to_vec();
        let now: Vec<Arc<str>> = seen.iter().map(|(key, _)| key.clone()).collect();
        let now = self.0.load(into, &now).await?;
        for ((_, seen), now) in seen.iter_mut().zip(now) {
            match self.1 {
                Fault::BelievesParts => *seen = now,
                Fault::OverlooksParking => seen.parked = now.parked,
                _ => {}
            }
        }
        if self.is(Fault::TearsParts) {
            self.0.advance(&step).await?;
            let again = Step { from: step.to, ..step };
            return self.0.commit_part(&again, into, &seen, page).await;
        }
        self.outcome(self.0.commit_part(&step, into, &seen, page).await)
    }

    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
        let first = self.first(of).await?;
        let mut page = self.0.documents(&first, after, limit).await?;
        if self.is(Fault::ListsUnordered) {
            page.sort_by_key(|(key, _)| key.to_lowercase());
        }
        Ok(page)
    }

    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        if self.is(Fault::RebuildsAnew) {
            for info in self.0.subscribers().await? {
                if info.state == annals::GenerationState::Building {
                    self.0.abandon(&info.subscriber).await?;
                }
            }
        }
        match self.0.start_rebuild(name, version).await {
            Err(OpenError::Outdated { live, .. }) if self.is(Fault::RebuildsOlder) => {
                self.0.start_rebuild(name, live).await
            }
            outcome => outcome,
        }
    }

    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError> {
        match self.0.switch(to).await {
            Err(SwitchError::Behind { .. }) if self.is(Fault::SwitchesBehind) => Ok(()),
            outcome => outcome,
        }
    }

    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError> {
        self.0.abandon(building).await
    }

    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError> {
        let limit = if self.is(Fault::PurgesAtOnce) { PageLimit::MAX } else { limit };
        self.0.purge(retired, limit).await
    }

    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError> {
        if self.is(Fault::ComparesApart)
            && self.known(old).await?.checkpoint != self.known(new).await?.checkpoint
        {
            return Ok(Comparison::default());
        }
        let mut found = match self.0.compare(old, new).await {
            Err(CompareError::Replaced { .. }) if self.is(Fault::ComparesReplaced) => Comparison::default(),
            outcome => outcome?,
        };
        if self.is(Fault::ComparesText) {
            let (old, new) = (
                self.0.documents(old, None, PageLimit::MAX).await?,
                self.0.documents(new, None, PageLimit::MAX).await?,
            );
            let other = |(key, text): &&(Arc<str>, Json)| new.iter().any(|(k, t)| k == key && t != text);
            found.changed = old.iter().filter(other).count() as u64;
        }
        Ok(found)
    }

    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        let mut page = self.0.parked(of, key, after, limit).await?;
        if self.is(Fault::ListsUnordered) {
            page.sort_by_key(|parked| parked.position);
        }
        Ok(page)
    }

    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        let taken = self.0.request(of, request).await?;
        Ok(taken || self.is(Fault::RequestsAnything))
    }

    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError> {
        self.0.requests(of, limit).await
    }
}
