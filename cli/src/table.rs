//! Tables for people, printed as their rows arrive.

use crate::{CliError, Output, text::plain};

/// The most characters of a cell that are shown, but in the last column, which is shown whole.
pub(crate) const CELL_CHARS_MAX: usize = 48;

/// A table whose columns are as wide as its first rows need, and wider where later ones do.
pub(crate) struct Table {
    titles: Vec<String>,
    widths: Vec<usize>,
    /// Which columns hold numbers, as far as the first rows tell; none before them.
    numbers: Option<Vec<bool>>,
}

impl Table {
    pub(crate) fn new<T: Into<String>>(titles: impl IntoIterator<Item = T>) -> Self {
        let titles: Vec<String> = titles.into_iter().map(Into::into).collect();
        Self { widths: titles.iter().map(|title| title.chars().count()).collect(), titles, numbers: None }
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
        if self.numbers.is_none() {
            let numbers = (0..self.titles.len()).map(|at| holds_numbers(rows.iter().map(|row| &*row[at])));
            self.numbers = Some(numbers.collect());
            output.text(self.line(&self.titles))?;
        }
        rows.iter().try_for_each(|row| output.text(self.line(row)))
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            if at > 0 {
                line.push_str("  ");
            }
            let space = " ".repeat(width.saturating_sub(cell.chars().count()));
            if self.numbers.as_ref().is_some_and(|numbers| numbers[at]) {
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

/// Whether a column is one of numbers: empty cells do not count, and all of them empty make none.
fn holds_numbers<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let mut filled = cells.filter(|cell| !cell.is_empty()).peekable();
    filled.peek().is_some() && filled.all(|cell| cell.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Global;
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(titles: [&str; 2], pages: &[&[[&str; 2]]]) -> String {
        let printed = Printed::default();
        let mut output = Output::to(&Global::default(), printed.clone());
        let mut table = Table::new(titles);
        for page in pages {
            let rows: Vec<Vec<String>> = page.iter().map(|row| row.map(String::from).to_vec()).collect();
            table.print(&mut output, &rows).unwrap();
        }
        let text = printed.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_stand_to_the_right_and_titles_above_them() {
        let pages: &[&[_]] = &[&[["10002", "1"], ["85123A", ""], ["x", "20"]], &[["y", "300"]]];
        assert_eq!(printed(["sku", "n"], pages), "sku      n\n10002    1\n85123A\nx       20\ny       300\n");
        assert_eq!(printed(["sku", "n"], &[&[]]), "sku  n\n");
    }

    #[test]
    fn a_long_cell_is_cut_but_in_the_last_column() {
        let long = "é".repeat(CELL_CHARS_MAX + 1);
        let text = printed(["a", "b"], &[&[[&long, &long]]]);
        let row = text.lines().nth(1).unwrap();
        assert_eq!(row.chars().count(), CELL_CHARS_MAX + 2 + CELL_CHARS_MAX + 1);
        assert!(row.contains("é…  é"), "{row}");
        let exact = "e".repeat(CELL_CHARS_MAX);
        assert!(!printed(["a", "b"], &[&[[&exact, ""]]]).contains('…'));
    }
}
