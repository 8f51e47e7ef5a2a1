//! Excel workbooks, by calamine: each sheet a page, its rows as they stand in the file.

use std::io::Cursor;

use calamine::{Cell, DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use tenantry_domain::{MediaType, TextFormat};

use super::parts::title;
use crate::markdown::{Table, heading};
use crate::out::Out;
use crate::package::Package;
use crate::{ExtractError, Extracted, Limits};

/// Cells further to the right are joined into the last column, so that one far cell does not widen its row.
const MAX_COLUMNS: usize = 256;

pub(super) fn read(
    bytes: &[u8],
    mut package: Package<'_>,
    limits: &Limits,
    out: &mut Out<'_, '_>,
) -> Result<Extracted, ExtractError> {
    // calamine unpacks on its own; what it would unpack is measured first.
    package.measure(|name| !name.contains("/media/"))?;
    let title = title(&mut package, "docProps/core.xml", limits)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| failure(&error))?;
    let sheets = workbook.sheets_metadata().to_vec();
    for sheet in sheets {
        if sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible {
            out.page()?;
            rows(&mut workbook, &sheet.name, out)?;
        }
    }
    Ok(Extracted {
        media_type: MediaType::Xlsx,
        format: TextFormat::Markdown,
        title,
        pages: out.pages(),
    })
}

fn rows(workbook: &mut Xlsx<Cursor<&[u8]>>, sheet: &str, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    let mut cells = workbook
        .worksheet_cells_reader(sheet)
        .map_err(|error| failure(&error))?;
    let (_, first_column) = cells.dimensions().start;
    let mut table = Table::default();
    let mut row: Vec<String> = Vec::new();
    let mut row_number = 0;
    let mut named = false;
    while let Some(cell) = cells.next_cell().map_err(|error| failure(&error))? {
        let (number, _) = cell.get_position();
        if !named && !shown(cell.get_value()).is_empty() {
            // A sheet without cells has no text, whatever its name.
            heading(out, 1, sheet)?;
            named = true;
        }
        if number != row_number {
            table.row(out, &row)?;
            row.clear();
            row_number = number;
        }
        put(&mut row, first_column, &cell);
    }
    table.row(out, &row)
}

fn put(row: &mut Vec<String>, first_column: u32, cell: &Cell<DataRef<'_>>) {
    let text = shown(cell.get_value());
    if text.is_empty() {
        return;
    }
    let column = cell.get_position().1.saturating_sub(first_column);
    let column = usize::try_from(column)
        .unwrap_or(MAX_COLUMNS)
        .min(MAX_COLUMNS - 1);
    if row.len() <= column {
        row.resize(column + 1, String::new());
    }
    if let Some(place) = row.get_mut(column) {
        if !place.is_empty() {
            place.push(' ');
        }
        place.push_str(&text);
    }
}

fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(moment) => date(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number to 15 digits, as Excel keeps them, without the noise of binary fractions.
fn decimal(number: f64) -> String {
    let size = number.abs();
    if !(1e-4..1e15).contains(&size) {
        return number.to_string();
    }
    let whole_digits = format!("{size:.0}").len();
    let text = format!("{number:.*}", 15_usize.saturating_sub(whole_digits));
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

fn date(moment: &ExcelDateTime) -> String {
    if moment.is_duration() || moment.as_f64() < 1.0 {
        let seconds = (moment.as_f64() * 86_400.0).round();
        let (hours, rest) = ((seconds / 3_600.0).floor(), seconds.rem_euclid(3_600.0));
        return format!(
            "{hours:02}:{:02}:{:02}",
            (rest / 60.0).floor(),
            rest.rem_euclid(60.0)
        );
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    match (hour, minute, second) {
        (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}

fn failure(error: &XlsxError) -> ExtractError {
    match error {
        XlsxError::Password => ExtractError::Encrypted,
        XlsxError::WorksheetNotFound(_) | XlsxError::FileNotFound(_) => {
            ExtractError::damaged("a part of the workbook is missing")
        }
        _ => ExtractError::damaged("the workbook is malformed"),
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_shown_as_people_wrote_them() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (42.0, "42"),
            (-1234.5, "-1234.5"),
            (1e21, "1000000000000000000000"),
            (0.0, "0"),
            (19.99, "19.99"),
            (100.0, "100"),
        ] {
            assert_eq!(decimal(number), text);
        }
    }
}
