#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what a benchmark is for")]

use crate::{Args, Figure, Goal, state_of_machine};

/// Prints figures as they come: a table for people, or one JSON object a line.
#[derive(Debug)]
pub struct Report {
    json: bool,
    short: Vec<String>,
}

impl Report {
    /// Begins with what must be known to judge the figures.
    pub fn begin(title: &str, args: &Args) -> Self {
        if !args.json {
            let quick = if args.quick { ", quick: rougher figures" } else { "" };
            println!("{title}: {} interleaved pairs a figure{quick}; {}\n", args.rounds, state_of_machine());
            println!("| figure | medium | ours | limit | unit | ratio | min – max | goal | | cpu |");
            println!("|---|---|--:|--:|---|--:|---|---|---|--:|");
        }
        Self { json: args.json, short: vec![] }
    }

    /// One more figure.
    pub fn add(&mut self, figure: &Figure) -> anyhow::Result<()> {
        if figure.reached == Some(false) {
            self.short.push(format!("{} ({})", figure.name, figure.medium));
        }
        if self.json {
            println!("{}", serde_json::to_string(figure)?);
        } else {
            println!("{}", row(figure));
        }
        Ok(())
    }

    /// Says out loud what was not measured, and why.
    pub fn skip(&self, what: &str, why: impl std::fmt::Display) {
        eprintln!("skipped: {what}: {why}");
    }

    /// Ends with what fell short.
    pub fn end(self) {
        if self.json {
            return;
        }
        println!("\ncpu: how much longer a core was busy for one of ours than for one of the limit");
        match self.short.len() {
            0 => println!("every goal is reached; {}", state_of_machine()),
            _ => println!("SHORT: {}; {}", self.short.join(", "), state_of_machine()),
        }
    }
}

fn row(figure: &Figure) -> String {
    let no_limit = figure.limit == 0.0;
    let limit = if no_limit { "–".into() } else { number(figure.limit) };
    let ratio = if no_limit { "–".into() } else { format!("{:.2}", figure.ratio) };
    let range = match figure.ratio_min == figure.ratio_max {
        true => String::new(),
        false => format!("{:.2} – {:.2}", figure.ratio_min, figure.ratio_max),
    };
    let sign = if figure.goal_is == Goal::AtLeast { "≥" } else { "≤" };
    let goal = figure.goal.map_or_else(String::new, |goal| format!("{sign} {goal:.2}"));
    let verdict = match figure.reached {
        Some(true) => "ok",
        Some(false) => "SHORT",
        None => "",
    };
    let (name, medium, unit, ours) = (&figure.name, &figure.medium, &figure.unit, number(figure.ours));
    let cpu = if figure.cpu_ratio == 0.0 { String::new() } else { format!("{:.2}", figure.cpu_ratio) };
    format!(
        "| {name} | {medium} | {ours} | {limit} | {unit} | {ratio} | {range} | {goal} | {verdict} | {cpu} |"
    )
}

/// Three digits that count, in groups of three.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.*}", if value < 1.0 { 3 } else { 1 });
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::once;

    #[test]
    fn numbers_read_well() {
        let told = [0.0123, 7.25, 99.94, 100.0, 1_234.4, 1_234_567.0].map(number);
        assert_eq!(told, ["0.012", "7.2", "99.9", "100", "1 234", "1 234 567"]);
    }

    #[test]
    fn a_row_says_whether_the_goal_is_reached() {
        let figure = Figure::of("scan", "disk", "events/s", &once(9_000.0, 10_000.0));
        assert_eq!(row(&figure), "| scan | disk | 9 000 | 10 000 | events/s | 0.90 |  |  |  |  |");
        assert!(row(&figure.clone().at_least(0.8)).ends_with("| ≥ 0.80 | ok |  |"));
        assert!(row(&figure.at_most(0.8)).ends_with("| ≤ 0.80 | SHORT |  |"));
    }
}
