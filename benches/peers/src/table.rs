//! For people: a table for each case.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::harness::Row;

pub(crate) fn write(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    for case in rows.chunk_by(|a, b| a.case == b.case) {
        let Some(first) = case.first() else { continue };
        writeln!(out, "\n## {}: {}\n", first.group, first.case)?;
        writeln!(out, "{}", table(case))?;
    }
    Ok(())
}

fn table(case: &[Row]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["who", "median ns", "ratio", "allocations"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in case {
        let who = if row.ours {
            format!("**{}**", row.who)
        } else if row.floor {
            format!("*floor: {}*", row.who)
        } else {
            row.who.clone()
        };
        let ratio = row.ratio_to_best_rival.map(|ratio| format!("{ratio:.2}"));
        let allocs = row.allocs.map(|allocs| format!("{allocs:.1}"));
        table.add_row([
            who,
            format!("{:.1}", row.median_ns),
            ratio.unwrap_or_default(),
            allocs.unwrap_or_else(|| "not counted".to_owned()),
        ]);
    }
    table
}
