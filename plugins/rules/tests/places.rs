//! Where rows go: the same partitions as the hash says on the whole row, one lane a partition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use tg_format_common::Table;
use tg_format_fixtures::{all_types, rows};
use tg_format_partition::{PartitionRule, Partitioner};
use tg_plugin_rules::RuleDispatcher;
use tgr1::Batch;
use tidegate_sdk::{Context, Decisions, DispatchPlan, Dispatcher, Failure, RowBatch, TableRef};

struct Rows<'a>(Batch<'a>);

impl RowBatch for Rows<'_> {
    fn table(&self) -> TableRef {
        TableRef { table: self.0.table(), version: self.0.version() }
    }
    fn row_count(&self) -> u32 {
        self.0.len() as u32
    }
    fn byte_size(&self) -> u32 {
        self.0.as_bytes().len() as u32
    }
    fn read(&self, _: Option<&[u32]>, _: u32, _: u32) -> Result<Vec<u8>, String> {
        Err("not asked for".to_owned())
    }
}

fn decide(config: &str, lanes: u32) -> Result<(DispatchPlan, Decisions), Failure> {
    let mut d = RuleDispatcher::open(Context { config: config.to_owned(), lanes, ..Context::default() })?;
    let schema = Arc::new(all_types());
    let plan = d.on_schema(Arc::clone(&schema))?;
    d.partition_counts(schema.id, &[7]);
    let data = rows(&schema, 5, 40);
    let whole = Batch::parse(&data).unwrap();
    let part = tgr1::project(&whole, plan.columns.as_deref().unwrap(), 0, u32::MAX).unwrap();
    Ok((plan, d.dispatch(&Rows(whole), &part)?))
}

fn wanted(rule: &PartitionRule) -> Vec<u32> {
    let table = Table::new(Arc::new(all_types()), None).unwrap();
    let mut by = Partitioner::new(rule, &table).unwrap();
    let data = rows(&all_types(), 5, 40);
    Batch::parse(&data).unwrap().into_iter().map(|row| by.partition(&table, &row, 7).unwrap()).collect()
}

fn rule(more: &str) -> String {
    format!(r#"{{"topic": "all", "dispatchers": [{{"matcher": ["shop.*"], {more}}}]}}"#)
}

#[test]
fn every_rule_sends_rows_where_the_whole_row_would_go() {
    let key =
        all_types().row_key_columns().iter().map(|i| all_types().columns[*i as usize].name.clone()).next().unwrap();
    let by_columns = format!(r#""partition": "columns", "columns": ["{key}"], "topic": "x_{{schema}}_{{table}}""#);
    for (text, same, topic) in [
        (rule(r#""partition": "index-value""#), PartitionRule::IndexValue(None), "all"),
        (rule(r#""partition": "ts""#), PartitionRule::Ts, "all"),
        (rule(r#""partition": "default""#), PartitionRule::Table, "all"),
        (rule(&by_columns), PartitionRule::Columns(vec![key.clone()]), "x_shop_all"),
        (r#"{"topic": "all"}"#.to_owned(), PartitionRule::Table, "all"),
    ] {
        let (plan, decisions) = decide(&text, 3).unwrap();
        assert_eq!(decisions.partitions, wanted(&same), "{text}");
        assert_eq!(plan.targets, [topic]);
        assert!(plan.split_key_updates);
        let lanes: Vec<u16> = decisions.partitions.iter().map(|p| (p % 3) as u16).collect();
        assert_eq!(decisions.lanes, lanes);
        assert!(decide(&text, 1).unwrap().1.lanes.is_empty());
    }
}

#[test]
fn what_does_not_fit_is_said() {
    for (text, why) in [
        (rule(r#""partition": "columns", "columns": ["nope"]"#), "no column nope"),
        (rule(r#""partition": "index-value", "index": "nope""#), "no unique index nope"),
        (rule(r#""topic": "{table}""#), "sink.dispatchers[0]"),
    ] {
        let failure = decide(&text, 1).err().unwrap().to_string();
        assert!(failure.contains(why), "{failure}");
    }
}
