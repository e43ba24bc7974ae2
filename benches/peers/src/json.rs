//! For programs: all rows as one array, and nothing else.

use crate::harness::Row;

pub(crate) fn print(rows: &[Row]) -> serde_json::Result<()> {
    println!("{}", serde_json::to_string_pretty(rows)?);
    Ok(())
}
