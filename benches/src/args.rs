use crate::ROUNDS_MIN;
use std::time::Duration;

/// The flags of `cargo xtask bench NAME`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// One JSON object per figure on stdout: name, medium, ours, limit, ratio, goal
    #[arg(long)]
    pub json: bool,
    /// Interleaved pairs per figure
    #[arg(long, value_name = "N", default_value_t = ROUNDS_MIN, value_parser = clap::value_parser!(u32).range(i64::from(ROUNDS_MIN)..))]
    pub rounds: u32,
    /// Only figures whose name contains this
    #[arg(long, value_name = "PATTERN")]
    pub only: Option<String>,
    /// Rougher figures, sooner: sqlite in under two minutes, the others in about four
    #[arg(long)]
    pub quick: bool,
    /// Also what takes long: appends behind ten million events
    #[arg(long)]
    pub long: bool,
}

impl Args {
    /// Whether the figure called `name` is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|pattern| name.contains(pattern.as_str()))
    }

    /// Whether any of the figures is asked for: before something is prepared for them all.
    pub fn wants_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| self.wants(name))
    }

    /// How long one side of one pair is to take, about.
    pub fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 150 } else { 800 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_part_of_a_name() {
        let mut args = Args { json: false, rounds: 5, only: None, quick: false, long: false };
        assert!(args.wants("append"));
        args.only = Some("app".into());
        assert!(args.wants("append") && args.wants_any(["scan", "append"]) && !args.wants("scan"));
    }
}
