//! The comparison of all tables, and what it says.

use super::compare::{TableResult, Verdict, compare, key_columns, normalise};
use super::error::DemoError;
use super::load::SCHEMAS;
use super::target::Target;
use super::text::{Paint, count, grouped};
use comfy_table::{CellAlignment, Table, presets};
use std::collections::BTreeSet;
use tg_playground::workload::Bank;
use tg_playground::{Cluster, TableDef};

/// All tables at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Report {
    /// Tables in order of name.
    pub(super) tables: Vec<TableResult>,
    /// Sum of the bank's accounts: what it must be, upstream, downstream.
    pub(super) bank: (i64, Option<i64>, Option<i64>),
}

impl Report {
    /// Compares every table as it was upstream at `ts` with what is downstream now. `step` hears which table is next,
    /// and how many there are.
    pub(super) async fn make(
        cluster: &Cluster,
        target: &mut Target,
        ts: u64,
        bank_total: i64,
        mut step: impl FnMut(usize, usize, &str),
    ) -> Result<Self, DemoError> {
        let expected: Vec<_> = cluster.tables().into_iter().filter(|t| SCHEMAS.contains(&t.schema.as_str())).collect();
        let mut unexpected = BTreeSet::new();
        for schema in SCHEMAS {
            unexpected.extend(target.tables(schema).await?.into_iter().map(|table| (schema.to_owned(), table)));
        }
        let mut report = Self { tables: Vec::new(), bank: (bank_total, Bank::total_at(cluster, ts), None) };
        for (i, table) in expected.iter().enumerate() {
            step(i, expected.len(), &table.full_name());
            let there = unexpected.remove(&(table.schema.clone(), table.name.clone()));
            let result = one(cluster, target, ts, table, there).await?;
            if table.schema == "bank" {
                report.bank.2 = bank_downstream(target).await;
            }
            report.tables.push(result);
        }
        report.tables.extend(unexpected.into_iter().map(|(schema, table)| TableResult {
            name: format!("{schema}.{table}"),
            upstream: 0,
            downstream: 0,
            verdict: Verdict::Unexpected,
        }));
        Ok(report)
    }

    fn bank_is_right(&self) -> bool {
        self.bank == (self.bank.0, Some(self.bank.0), Some(self.bank.0))
    }

    /// Whether nothing differs.
    pub(super) fn is_same(&self) -> bool {
        self.bank_is_right() && self.tables.iter().all(|t| t.verdict == Verdict::Same)
    }

    /// Rows compared.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.upstream).sum()
    }

    /// The table, the bank and what differs, for a person.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(vec!["table", "rows upstream", "rows downstream", "result"]);
        for t in &self.tables {
            table.add_row(vec![t.name.clone(), grouped(t.upstream), grouped(t.downstream), short(&t.verdict)]);
        }
        for number in 1..=2 {
            if let Some(column) = table.column_mut(number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut out = table.to_string();
        for t in &self.tables {
            if let Some(why) = long(&t.verdict) {
                out.push_str(&format!("\n{} {}: {why}", paint.bad("✗"), t.name));
            }
        }
        let sum = |n: Option<i64>| n.map_or_else(|| "unreadable".to_owned(), |n| grouped(n.unsigned_abs()));
        let mark = if self.bank_is_right() { paint.good("✓") } else { paint.bad("✗") };
        let (must, up, down) = self.bank;
        let bank = format!(
            "\n{mark} bank: accounts sum to {} upstream, {} downstream; they must to {}",
            sum(up),
            sum(down),
            sum(Some(must))
        );
        out + &bank
    }

    /// The verdict in one line.
    pub(super) fn verdict(&self, paint: Paint) -> String {
        let all = self.tables.len() as u64;
        let differ = self.tables.iter().filter(|t| t.verdict != Verdict::Same).count() as u64;
        if self.is_same() {
            let word = paint.good("EQUAL");
            return format!(
                "{word}: {}, {}: every one the same upstream and downstream",
                count(all, "table"),
                count(self.rows(), "row")
            );
        }
        let word = paint.bad("DIFFERENT");
        let bank = if self.bank_is_right() { "" } else { ", and the bank's sum is wrong" };
        format!(
            "{word}: {} of {} differ{}{bank}",
            grouped(differ),
            count(all, "table"),
            if differ == 1 { "s" } else { "" }
        )
    }
}

async fn one(
    cluster: &Cluster,
    target: &mut Target,
    ts: u64,
    table: &TableDef,
    there: bool,
) -> Result<TableResult, DemoError> {
    let mut upstream = cluster.rows_at(&table.schema, &table.name, ts);
    let mut result = TableResult {
        name: table.full_name(),
        upstream: upstream.len() as u64,
        downstream: 0,
        verdict: Verdict::Absent,
    };
    if !there {
        return Ok(result);
    }
    let (columns, mut downstream) = target.rows(&table.schema, &table.name).await?;
    result.downstream = downstream.len() as u64;
    let wanted: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
    result.verdict = if wanted.iter().eq(&columns) {
        normalise(table, &mut upstream);
        normalise(table, &mut downstream);
        compare(upstream, downstream, &key_columns(table)).map_or(Verdict::Same, Verdict::Rows)
    } else {
        Verdict::Columns(wanted.join(", "), columns.join(", "))
    };
    Ok(result)
}

async fn bank_downstream(target: &mut Target) -> Option<i64> {
    let (_, rows) = target.rows("bank", "accounts").await.ok()?;
    let balance = |row: &tg_playground::TextRow| std::str::from_utf8(row.get(1)?.as_ref()?).ok()?.parse::<i64>().ok();
    rows.iter().map(balance).sum()
}

fn short(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Same => "equal",
        Verdict::Rows(_) => "rows differ",
        Verdict::Columns(..) => "columns differ",
        Verdict::Absent => "missing",
        Verdict::Unexpected => "should not be there",
    }
    .to_owned()
}

fn long(verdict: &Verdict) -> Option<String> {
    Some(match verdict {
        Verdict::Rows(d) => format!(
            "{} missing downstream, {} too many, {} changed; the first: {}",
            grouped(d.missing),
            grouped(d.extra),
            grouped(d.changed),
            d.example
        ),
        Verdict::Columns(up, down) => format!("columns upstream {up}; downstream {down}"),
        Verdict::Same | Verdict::Absent | Verdict::Unexpected => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Paint, Report, TableResult, Verdict};
    use crate::demo::compare::Difference;

    fn report(verdicts: &[Verdict], bank: (i64, Option<i64>, Option<i64>)) -> Report {
        let table = |(i, verdict): (usize, &Verdict)| TableResult {
            name: format!("s.t{i}"),
            upstream: 1_000,
            downstream: 1_000,
            verdict: verdict.clone(),
        };
        Report { tables: verdicts.iter().enumerate().map(table).collect(), bank }
    }

    #[test]
    fn only_all_equal_is_equal() {
        let changed = Verdict::Rows(Difference { changed: 1, example: "x".to_owned(), ..Difference::default() });
        let right = (10, Some(10), Some(10));
        for (verdicts, bank, verdict) in [
            (vec![Verdict::Same], right, "EQUAL: 1 table, 1,000 rows: every one the same upstream and downstream"),
            (vec![Verdict::Same, changed.clone()], right, "DIFFERENT: 1 of 2 tables differs"),
            (vec![Verdict::Absent, changed], right, "DIFFERENT: 2 of 2 tables differ"),
            (
                vec![Verdict::Same],
                (10, Some(10), Some(9)),
                "DIFFERENT: 0 of 1 table differ, and the bank's sum is wrong",
            ),
            (vec![Verdict::Unexpected], right, "DIFFERENT: 1 of 1 table differs"),
        ] {
            let report = report(&verdicts, bank);
            assert_eq!(report.verdict(Paint(false)), verdict);
            assert_eq!(report.is_same(), verdict.starts_with("EQUAL"));
            assert!(report.text(Paint(false)).contains("bank: accounts sum to 10 upstream"));
        }
    }
}
