use crate::Turn;

/// Fewer pairs than this say nothing.
pub const ROUNDS_MIN: u32 = 5;

/// What was measured in turns, pair by pair.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    ours: Vec<Turn>,
    limits: Vec<Turn>,
}

/// Measures `limit` and `ours` in turns, `rounds` times, after one turn of each that does not count.
///
/// # Errors
/// The first error of either ends the measurement.
pub fn pairs(
    rounds: u32,
    mut ours: impl FnMut() -> anyhow::Result<Turn>,
    mut limit: impl FnMut() -> anyhow::Result<Turn>,
) -> anyhow::Result<Pairs> {
    limit()?;
    ours()?;
    let mut pairs = Pairs::default();
    for _ in 0..rounds {
        let limit = limit()?;
        pairs.add(ours()?, limit);
    }
    Ok(pairs)
}

/// A figure that noise does not touch is measured once.
pub fn once(ours: f64, limit: f64) -> Pairs {
    let mut pairs = Pairs::default();
    pairs.add(ours, limit);
    pairs
}

impl Pairs {
    /// One more pair.
    pub fn add(&mut self, ours: impl Into<Turn>, limit: impl Into<Turn>) {
        self.ours.push(ours.into());
        self.limits.push(limit.into());
    }

    /// The median of ours.
    pub fn ours(&self) -> f64 {
        median(self.ours.iter().map(|turn| turn.value).collect())
    }

    /// The median of the limits.
    pub fn limit(&self) -> f64 {
        median(self.limits.iter().map(|turn| turn.value).collect())
    }

    /// The median of the ratios, each of one pair.
    pub fn ratio(&self) -> f64 {
        median(self.ratios(|turn| turn.value))
    }

    /// The median of how much longer a core was busy for one of ours than for one of the limit; 0 where nobody knows.
    pub fn cpu_ratio(&self) -> f64 {
        median(self.ratios(|turn| turn.cpu_us))
    }

    /// The lowest and the highest ratio.
    pub fn range(&self) -> (f64, f64) {
        let ratios = self.ratios(|turn| turn.value);
        let lowest = ratios.iter().copied().reduce(f64::min);
        let highest = ratios.into_iter().reduce(f64::max);
        (lowest.unwrap_or(0.0), highest.unwrap_or(0.0))
    }

    fn ratios(&self, of: fn(&Turn) -> f64) -> Vec<f64> {
        let ratio = |(ours, limit): (f64, f64)| if limit > 0.0 { ours / limit } else { 0.0 };
        self.ours.iter().map(of).zip(self.limits.iter().map(of)).map(ratio).collect()
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    match of.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => of[odd / 2],
        even => (of[even / 2 - 1] + of[even / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_stand_in_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_ratio_belongs_to_its_pair() {
        let mut pairs = Pairs::default();
        for (ours, limit) in [(1.0, 2.0), (30.0, 10.0), (8.0, 10.0)] {
            pairs.add(ours, limit);
        }
        assert_eq!((pairs.ratio(), pairs.range(), pairs.ours()), (0.8, (0.5, 3.0), 8.0));
    }

    #[test]
    fn both_take_turns_and_the_first_turn_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let turn = |name| order.borrow_mut().push(name);
        let told = pairs(
            2,
            || {
                turn('a');
                Ok(1.0.into())
            },
            || {
                turn('b');
                Ok(2.0.into())
            },
        );
        assert_eq!((told.unwrap().ours.len(), order.into_inner().as_str()), (2, "bababa"));
    }
}
