use crate::ExtractError;
use crate::out::Out;

/// `text` on one line, with each run of blanks as one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Writes a heading; `level` counts from 1, levels below the sixth are written as the sixth.
pub(crate) fn heading(out: &mut Out<'_, '_>, level: usize, text: &str) -> Result<(), ExtractError> {
    let text = one_line(text);
    if text.is_empty() {
        return Ok(());
    }
    let marks = "######".get(..level.clamp(1, 6)).unwrap_or("#");
    out.block(&format!("{marks} {text}"))
}

/// Writes a point of a list; `depth` counts from 0.
pub(crate) fn list_item(
    out: &mut Out<'_, '_>,
    depth: usize,
    mark: &str,
    text: &str,
) -> Result<(), ExtractError> {
    let indent = "  ".repeat(depth.min(8));
    let text = text.trim().replace('\n', &format!("\n{indent}  "));
    if text.is_empty() {
        return Ok(());
    }
    out.line(&format!("{indent}{mark} {text}"))
}

/// Writes a table row by row; the first row with anything in it is the head.
#[derive(Debug, Default)]
pub(crate) struct Table {
    has_head: bool,
}

impl Table {
    /// Writes a row, unless all of its cells are blank. A row may be shorter than the head.
    pub(crate) fn row<S: AsRef<str>>(
        &mut self,
        out: &mut Out<'_, '_>,
        cells: &[S],
    ) -> Result<(), ExtractError> {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell.as_ref())).collect();
        let Some(last) = cells.iter().rposition(|cell| !cell.is_empty()) else {
            return Ok(());
        };
        let cells = cells.get(..=last).unwrap_or_default();
        if self.has_head {
            out.end_line()?;
        } else {
            out.end_block()?;
        }
        out.text(&format!("| {} |", cells.join(" | ")))?;
        if !self.has_head {
            self.has_head = true;
            out.text("\n|")?;
            out.text(&" --- |".repeat(cells.len()))?;
        }
        Ok(())
    }
}

/// Writes all rows of a table that is small enough to be held; a table of one column is written as lines.
pub(crate) fn table(out: &mut Out<'_, '_>, rows: &[Vec<String>]) -> Result<(), ExtractError> {
    let one_column = rows
        .iter()
        .all(|row| row.iter().filter(|cell| !cell.trim().is_empty()).count() <= 1);
    if one_column {
        for cell in rows.iter().flatten() {
            out.block(cell.trim())?;
        }
        return Ok(());
    }
    let mut table = Table::default();
    for row in rows {
        table.row(out, row)?;
    }
    out.end_block()
}

fn escaped(cell: &str) -> String {
    one_line(cell).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::Piece;

    fn written(write: impl FnOnce(&mut Out<'_, '_>) -> Result<(), ExtractError>) -> String {
        let mut text = String::new();
        let mut sink = |piece: Piece<'_>| {
            if let Piece::Text(part) = piece {
                text.push_str(part);
            }
            ControlFlow::Continue(())
        };
        write(&mut Out::new(&mut sink, 10_000)).unwrap();
        text
    }

    #[test]
    fn a_table_has_a_head_and_no_blank_rows() {
        let text = written(|out| {
            out.text("Prices")?;
            let rows = [
                vec!["", ""],
                vec!["Item", "Price | EUR"],
                vec!["Bolt"],
                vec!["Nut", "2\n3", "x", ""],
            ];
            let rows: Vec<Vec<String>> = rows
                .into_iter()
                .map(|r| r.into_iter().map(str::to_owned).collect())
                .collect();
            table(out, &rows)
        });
        assert_eq!(
            text,
            "Prices\n\n| Item | Price \\| EUR |\n| --- | --- |\n| Bolt |\n| Nut | 2 3 | x |\n\n"
        );
    }

    #[test]
    fn headings_and_points_stand_on_their_own_lines() {
        let text = written(|out| {
            heading(out, 9, " A \n b ")?;
            list_item(out, 0, "-", "one")?;
            list_item(out, 1, "-", "two")
        });
        assert_eq!(text, "###### A b\n- one\n  - two");
    }
}
