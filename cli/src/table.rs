//! Tables for people, printed as their rows arrive.

use crate::{CliError, Output, text::plain};

/// The most characters of a cell that are shown, but in the last column, which is shown whole.
pub(crate) const CELL_CHARS_MAX: usize = 48;

/// A table whose columns are as wide as its first rows need, and wider where later ones do.
pub(crate) struct Table {
    titles: Vec<String>,
    widths: Vec<usize>,
    begun: bool,
}

impl Table {
    pub(crate) fn new<T: Into<String>>(titles: impl IntoIterator<Item = T>) -> Self {
        let titles: Vec<String> = titles.into_iter().map(Into::into).collect();
        Self { widths: titles.iter().map(|title| title.chars().count()).collect(), titles, begun: false }
    }

    /// Prints rows, and the titles before the first of them. Numbers stand to the right.
    pub(crate) fn print(&mut self, output: &mut Output, rows: &[Vec<String>]) -> Result<(), CliError> {
        let last = self.titles.len().saturating_sub(1);
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().enumerate().map(|(at, cell)| shown(cell, at == last)).collect())
            .collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if !self.begun {
            self.begun = true;
            // A title stands above its column: to the right where the column holds numbers.
            let numbers: Vec<bool> = (0..self.titles.len())
                .map(|at| {
                    !rows.is_empty() && rows.iter().all(|row| row.get(at).is_some_and(|c| is_number(c)))
                })
                .collect();
            output.text(self.line(&self.titles, |at, _| numbers[at]))?;
        }
        rows.iter().try_for_each(|row| output.text(self.line(row, |_, cell| is_number(cell))))
    }

    fn line(&self, cells: &[String], right: impl Fn(usize, &str) -> bool) -> String {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            if at > 0 {
                line.push_str("  ");
            }
            let space = " ".repeat(width.saturating_sub(cell.chars().count()));
            if right(at, cell) {
                line.push_str(&space);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&space);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn shown(cell: &str, whole: bool) -> String {
    let cell = plain(cell);
    if whole || cell.chars().count() <= CELL_CHARS_MAX {
        return cell.into_owned();
    }
    let mut cut: String = cell.chars().take(CELL_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}

fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok()
}
