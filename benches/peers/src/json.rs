//! For programs: all rows as one array, and nothing else.

use std::io::{self, Write};

use crate::harness::Row;

pub(crate) fn write(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, rows)?;
    writeln!(out)
}
