//! The page as a reader sees it.

use std::path::Path;

use super::*;
use crate::table::{Figure, Unit};

fn row() -> Row {
    let goals = [Goal::Fastest(1.3), Goal::Times(1.2, "zot"), Goal::Bound(0.9), Goal::Thrift(0.7)];
    let mut row = Row::new("pull 2 GiB", Unit::GigabytesPerSecond, &goals);
    for (value, cpu) in [(3.0, 0.3), (9.0, 0.9), (2.0, 0.2)] {
        row.add("Berth", Figure { value, cpu: Some(cpu) });
    }
    row.add("nginx", Figure { value: 2.0, cpu: Some(0.5) });
    row.add("distribution", Figure { value: 2.5, cpu: None });
    row.add_bound(4.0);
    row
}

#[test]
fn a_row_shows_medians_ratios_and_which_goals_were_reached() {
    let row = row();
    assert_eq!(cell(&row, "Berth"), "3.00 GB/s (0.30)");
    assert_eq!(cell(&row, "distribution"), "2.50 GB/s");
    assert_eq!(cell(&row, "zot"), "—");
    assert_eq!(ratios(&row), "1.20 × distribution; 0.75 × the bound; bound 4.00 GB/s");
    assert_eq!(reached(&row), "**no**; not measured; **no**; yes");
    assert_eq!(thrift(&row), "0.60 × nginx");
}

#[test]
fn the_table_has_as_many_cells_everywhere() {
    let report = Report {
        machine: Machine::look(Path::new("/")),
        servers: vec![("Berth".into(), Some("1.0".into())), ("nginx".into(), None)],
        rows: vec![row(), Row::new("empty", Unit::PerSecond, &[])],
        remarks: vec!["two\nlines".into()],
        rounds: 3,
    };
    let text = report.to_string();
    let cells: Vec<usize> =
        text.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
    assert_eq!(cells, [8, 8, 8, 8]);
    assert!(text.contains("- two lines\n") && text.contains("Versions: Berth 1.0.\n"));
}
