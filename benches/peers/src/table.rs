//! For people: a table for each case.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::harness::Row;

pub(crate) fn print(rows: &[Row]) {
    for case in rows.chunk_by(|a, b| a.case == b.case) {
        let Some(first) = case.first() else { continue };
        println!("\n## {}: {}\n", first.group, first.case);
        println!("{}", table(case));
    }
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
