use crate::Pairs;
use serde::{Deserialize, Serialize};

/// One measured thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Where: `disk`, `tmpfs`, `tmpfs + 1 ms`.
    pub medium: String,
    /// The median of ours, in `unit`.
    pub ours: f64,
    /// The median of the limit, in `unit`; 0 where there is none.
    pub limit: f64,
    /// The median of ours by limit, pair by pair; 0 where there is no limit.
    pub ratio: f64,
    /// The ratio that is to be reached; null where none was set.
    pub goal: Option<f64>,
    /// Whether the goal is the least that is good or the most.
    pub goal_is: Goal,
    /// Whether the goal was reached; null where there is none.
    pub reached: Option<bool>,
    /// What `ours` and `limit` count.
    pub unit: String,
    /// The lowest ratio of all pairs.
    pub ratio_min: f64,
    /// The highest ratio of all pairs.
    pub ratio_max: f64,
    /// How much longer a core was busy for one of ours than for one of the limit, on all threads together; 0 where
    /// that says nothing.
    pub cpu_ratio: f64,
}

/// On which side of a goal it is good to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// More is better.
    AtLeast,
    /// Less is better.
    AtMost,
}

impl Figure {
    /// The figure that `pairs` give.
    pub fn of(
        name: impl Into<String>,
        medium: impl Into<String>,
        unit: impl Into<String>,
        pairs: &Pairs,
    ) -> Self {
        let (ratio_min, ratio_max) = pairs.range();
        Self {
            name: name.into(),
            medium: medium.into(),
            ours: pairs.ours(),
            limit: pairs.limit(),
            ratio: pairs.ratio(),
            goal: None,
            goal_is: Goal::AtLeast,
            reached: None,
            unit: unit.into(),
            ratio_min,
            ratio_max,
            cpu_ratio: pairs.cpu_ratio(),
        }
    }

    /// With the least ratio that is good.
    #[must_use]
    pub fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(goal), goal_is: Goal::AtLeast, reached: Some(self.ratio >= goal), ..self }
    }

    /// With the highest ratio that is good.
    #[must_use]
    pub fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(goal), goal_is: Goal::AtMost, reached: Some(self.ratio <= goal), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_exactly() {
        let mut pairs = Pairs::default();
        pairs.add(80.0, 100.0);
        let figure = Figure::of("append", "disk", "events/s", &pairs);
        assert_eq!(figure.reached, None);
        assert_eq!(figure.clone().at_least(0.8).reached, Some(true));
        assert_eq!(figure.clone().at_least(0.81).reached, Some(false));
        assert_eq!(figure.clone().at_most(0.8).reached, Some(true));
        let json = serde_json::to_value(figure.at_most(0.7)).unwrap();
        assert_eq!((&json["reached"], &json["goal_is"]), (&false.into(), &"at_most".into()));
    }
}
