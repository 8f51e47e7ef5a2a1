//! Comma-separated values (RFC 4180), with whichever delimiter the first lines use.

use ::csv::ReaderBuilder;
use tenantry_domain::{MediaType, TextFormat};

use crate::markdown::Table;
use crate::out::Out;
use crate::{ExtractError, Extracted, charset};

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

pub(super) fn read(bytes: &[u8], out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
    let text = charset::decode(bytes, None);
    let mut records = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(delimiter(&text)).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut table = Table::default();
    let mut record = ::csv::StringRecord::new();
    while records
        .read_record(&mut record)
        .map_err(|_| ExtractError::damaged("its lines are not comma-separated values"))?
    {
        let cells: Vec<&str> = record.iter().collect();
        table.row(out, &cells)?;
    }
    Ok(Extracted {
        media_type: MediaType::Csv,
        format: TextFormat::Markdown,
        title: None,
        pages: 0,
    })
}

/// The delimiter that the first lines have most evenly; outside quotes.
fn delimiter(text: &str) -> char {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).take(20).collect();
    let fewest = |delimiter: char| {
        let counts = lines.iter().map(|line| {
            let outside = line.split('"').step_by(2);
            outside.map(|part| part.matches(delimiter).count()).sum::<usize>()
        });
        // A line within a quoted field has none.
        counts.filter(|count| *count > 0).min().unwrap_or(0)
    };
    let lines_with = |delimiter: char| lines.iter().filter(|line| line.contains(delimiter)).count();
    DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|delimiter| (lines_with(*delimiter), fewest(*delimiter)))
        .unwrap_or(',')
}

#[cfg(test)]
mod tests {
    use crate::conformance::whole;
    use crate::{InProcessExtractor, Limits};

    fn text(csv: &[u8]) -> String {
        whole(&InProcessExtractor::new(Limits::default()), csv, "a.csv")
            .unwrap()
            .1
            .text
    }

    #[test]
    fn the_delimiter_is_found() {
        let expected = "| Name | Price |\n| --- | --- |\n| Bolt, M8 | 0,20 |";
        assert_eq!(text(b"Name;Price\n\"Bolt, M8\";0,20\n"), expected);
        assert_eq!(text(b"Name\tPrice\nBolt, M8\t0,20\n"), expected);
        assert_eq!(text(b"\"Name\",\"Price\"\r\n\"Bolt, M8\",\"0,20\"\r\n"), expected);
    }

    #[test]
    fn quoted_line_ends_stay_in_their_cell() {
        assert_eq!(
            text(b"a,b\n\"one\ntwo\",\"say \"\"hi\"\"\"\n"),
            "| a | b |\n| --- | --- |\n| one two | say \"hi\" |"
        );
    }
}
