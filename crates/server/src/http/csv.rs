//! Lists as CSV (RFC 4180), for spreadsheets.

use crate::Error;
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The header with the number of entries that the list has on all pages.
const TOTAL_COUNT: &str = "x-total-count";

/// Returns the response with a line of names and a line for each entry.
///
/// # Errors
///
/// [`Error::Csv`]
pub(super) fn response<const COLUMNS: usize>(
    file: &str,
    names: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
    total: u64,
) -> Result<Response, Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(names)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| guarded(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, [(TOTAL_COUNT, total.to_string())], bytes).into_response())
}

/// Puts an apostrophe before a cell that a spreadsheet would read as a formula: visitors write these cells, and the
/// operator opens them (https://owasp.org/www-community/attacks/CSV_Injection).
fn guarded(cell: &str) -> String {
    const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '＠'];
    // A spreadsheet may ignore the white space before a formula.
    let is_formula = |cell: &str| cell.starts_with(STARTS) || cell.trim_start().starts_with(STARTS);
    let guarded = |cell: &str| if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() };
    // A spreadsheet may use another separator than the comma, and begins a cell after it.
    [";", "\t"].into_iter().fold(cell.to_owned(), |text, separator| {
        text.split(separator).map(guarded).collect::<Vec<_>>().join(separator)
    })
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn formulas_are_made_texts() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\r=1", "\n=1", "＝1", "  =1", "\u{a0}=1"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for (cell, expected) in [
            ("a;=1+1;b", "a;'=1+1;b"),
            ("\t=1", "'\t'=1"),
            ("a\t @b", "a\t' @b"),
            ("=1;=2", "'=1;'=2"),
            ("{\"a\":\";-1\"}", "{\"a\":\";'-1\"}"),
        ] {
            assert_eq!(guarded(cell), expected);
        }
        for cell in ["", "a=1", "1-1", "{\"a\":\"=1\"}", "'=1", "é"] {
            assert_eq!(guarded(cell), cell);
        }
    }
}
