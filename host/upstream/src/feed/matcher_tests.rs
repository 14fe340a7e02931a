use super::{MatchError, Matcher, Output};
use crate::feed::budget::Budget;
use crate::feed::spill::Tape;
use crate::feed::wire::{Reader, whole};
use bytes::Bytes;
use prost::Message as _;
use tg_model::{ChangeOp, RawChange, Ts};
use tg_proto::cdcpb::{Entries, LogType, OpType, Row};

const PUT: OpType = OpType::Put;
const DEL: OpType = OpType::Delete;

fn row(kind: LogType, op: OpType, start_ts: u64, commit_ts: u64, value: &str, old: &str) -> Row {
    Row {
        start_ts,
        commit_ts,
        r#type: kind.into(),
        op_type: op.into(),
        key: Bytes::from_static(b"k"),
        value: value.to_owned().into(),
        old_value: old.to_owned().into(),
        ..Row::default()
    }
}
fn prewrite(op: OpType, start: u64, value: &str, old: &str) -> Row {
    row(LogType::Prewrite, op, start, 0, value, old)
}
fn generation(mut row: Row, generation: u64) -> Row {
    row.generation = generation;
    row
}
fn commit(op: OpType, start: u64, commit: u64) -> Row {
    row(LogType::Commit, op, start, commit, "", "")
}
fn rollback(start: u64) -> Row {
    row(LogType::Rollback, OpType::Unknown, start, 0, "p", "")
}
fn committed(op: OpType, start: u64, commit: u64, value: &str, old: &str) -> Row {
    row(LogType::Committed, op, start, commit, value, old)
}
fn initialized() -> Row {
    Row { r#type: LogType::Initialized.into(), ..Row::default() }
}

/// Short form of a change: operation, start, commit, value, old value.
fn brief(c: &RawChange) -> String {
    let op = match c.op {
        ChangeOp::Insert => "insert",
        ChangeOp::Update => "update",
        ChangeOp::Delete => "delete",
    };
    let text = |b: &Bytes| String::from_utf8_lossy(b).into_owned();
    format!("{op} {}-{} {}|{}", c.start_ts, c.commit_ts, text(&c.value), text(&c.old_value))
}

fn matcher(checkpoint: u64, prefix_len: usize) -> Matcher {
    Matcher::new(Ts::new(checkpoint), prefix_len, Budget::new(1 << 20, None))
}

/// A row through its wire form, with what the end of a scan sets loose.
fn take(matcher: &mut Matcher, row: Row, out: &mut Vec<RawChange>) -> Result<(), MatchError> {
    let wire = Bytes::from(Entries { entries: vec![row] }.encode_to_vec());
    let row = Reader::new(&wire, whole(&wire)).row().unwrap().unwrap();
    let (mut tape, mut output) = (Tape::new(None), Output::default());
    let result = matcher.row(&row, &wire, &mut tape, &mut output);
    while matcher.is_replaying() {
        matcher.replay(1, &mut tape, &mut output)?;
    }
    assert_eq!(output.weight_bytes, output.changes.iter().map(RawChange::weight_bytes).sum::<usize>());
    out.append(&mut output.changes);
    result
}

fn run(rows: Vec<Row>) -> (Vec<String>, Result<(), MatchError>, Matcher) {
    let mut matcher = matcher(100, 0);
    let mut out = Vec::new();
    let mut result = Ok(());
    for row in rows {
        result = take(&mut matcher, row, &mut out);
        if result.is_err() {
            break;
        }
    }
    (out.iter().map(brief).collect(), result, matcher)
}

fn check(name: &str, rows: Vec<Row>, expected: &[&str], pending: usize) {
    let (out, result, matcher) = run(rows);
    assert_eq!(result, Ok(()), "{name}");
    assert_eq!(out, expected, "{name}");
    assert_eq!(matcher.pending(), pending, "{name}: prewrites left");
}

fn check_broken(name: &str, rows: Vec<Row>, expected: &MatchError) {
    assert_eq!(run(rows).1.as_ref(), Err(expected), "{name}");
}

#[test]
fn after_the_scan() {
    let i = initialized;
    check("insert", vec![i(), prewrite(PUT, 110, "v", ""), commit(PUT, 110, 120)], &["insert 110-120 v|"], 0);
    check("update", vec![i(), prewrite(PUT, 110, "v", "o"), commit(PUT, 110, 120)], &["update 110-120 v|o"], 0);
    check("delete", vec![i(), prewrite(DEL, 110, "", "o"), commit(DEL, 110, 120)], &["delete 110-120 |o"], 0);
    check("delete of nothing", vec![i(), prewrite(DEL, 110, "", ""), commit(DEL, 110, 120)], &[], 0);
    check(
        "the commit's own value does not count",
        vec![i(), prewrite(PUT, 110, "v", "o"), row(LogType::Commit, PUT, 110, 120, "other", "")],
        &["update 110-120 v|o"],
        0,
    );
    check("rolled back", vec![i(), prewrite(PUT, 110, "v", ""), rollback(110)], &[], 0);
    check("rolled back without prewrite", vec![i(), rollback(110)], &[], 0);
    check("one phase", vec![i(), committed(PUT, 110, 111, "v", "o")], &["update 110-111 v|o"], 0);
    check("placeholder", vec![i(), Row::default()], &[], 0);
    check(
        "heartbeat",
        vec![i(), prewrite(PUT, 110, "v", "o"), prewrite(PUT, 110, "", ""), commit(PUT, 110, 120)],
        &["update 110-120 v|o"],
        0,
    );
    check(
        "flushed again",
        vec![
            i(),
            generation(prewrite(PUT, 110, "b", "o"), 2),
            generation(prewrite(PUT, 110, "a", "o"), 1),
            commit(PUT, 110, 120),
        ],
        &["update 110-120 b|o"],
        0,
    );
    check(
        "flushed again without generation",
        vec![i(), prewrite(PUT, 110, "a", "o"), prewrite(PUT, 110, "b", "o"), commit(PUT, 110, 120)],
        &["update 110-120 b|o"],
        0,
    );
    check(
        "flushed as a delete in the end",
        vec![i(), prewrite(PUT, 110, "a", "o"), prewrite(DEL, 110, "", "o"), commit(DEL, 110, 120)],
        &["delete 110-120 |o"],
        0,
    );
    check("old commit, matched though dropped", vec![i(), prewrite(PUT, 80, "v", ""), commit(PUT, 80, 100)], &[], 0);
}

#[test]
fn during_the_scan() {
    let i = initialized;
    check(
        "pair before the end of the scan",
        vec![prewrite(PUT, 110, "v", "o"), commit(PUT, 110, 120)],
        &["update 110-120 v|o"],
        0,
    );
    check(
        "commit first, prewrite from the scan",
        vec![commit(PUT, 110, 120), prewrite(PUT, 110, "v", "o"), i()],
        &["update 110-120 v|o"],
        0,
    );
    check(
        "commit first, whole version from the scan",
        vec![commit(PUT, 110, 120), committed(PUT, 110, 120, "v", "o"), i()],
        &["update 110-120 v|o"],
        0,
    );
    check("a delete waits", vec![prewrite(DEL, 110, "", "o"), commit(DEL, 110, 120)], &[], 1);
    check(
        "a delete is released",
        vec![prewrite(DEL, 110, "", "o"), commit(DEL, 110, 120), i()],
        &["delete 110-120 |o"],
        0,
    );
    check(
        "a generation waits for a better one",
        vec![
            generation(prewrite(PUT, 110, "a", "o"), 1),
            commit(PUT, 110, 120),
            generation(prewrite(PUT, 110, "b", "o"), 2),
            i(),
        ],
        &["update 110-120 b|o"],
        0,
    );
    check("rollback first", vec![rollback(110), prewrite(PUT, 110, "v", "o"), i()], &[], 0);
    check(
        "a commit goes before the rollback of another",
        vec![commit(PUT, 110, 120), rollback(115), prewrite(PUT, 110, "v", "o"), prewrite(PUT, 115, "w", "o"), i()],
        &["update 110-120 v|o"],
        0,
    );
    check(
        "a lock of the scan whose commit came",
        vec![prewrite(PUT, 110, "v", "o"), commit(PUT, 110, 120), prewrite(PUT, 110, "v", "o"), i()],
        &["update 110-120 v|o"],
        1,
    );
    check("versions at or below the checkpoint", vec![committed(PUT, 90, 100, "v", ""), i()], &[], 0);
}

#[test]
fn broken_rules_are_seen() {
    let i = initialized;
    let no_prewrite = MatchError::NoPrewrite { start_ts: 110, commit_ts: 120 };
    check_broken("commit without prewrite", vec![i(), commit(PUT, 110, 120)], &no_prewrite);
    let order = MatchError::Order { start_ts: 120, commit_ts: 120 };
    check_broken("commit not above start", vec![committed(PUT, 120, 120, "v", "")], &order);
}

#[test]
fn resolved_counts_after_the_scan_only_and_is_kept() {
    let mut matcher = matcher(100, 0);
    let mut out = Vec::new();
    assert!(!matcher.resolve(110), "not initialized");
    take(&mut matcher, initialized(), &mut out).unwrap();
    assert!(!matcher.resolve(90) && !matcher.resolve(100), "below the checkpoint");
    assert!(matcher.resolve(110) && !matcher.resolve(110));
    take(&mut matcher, prewrite(PUT, 105, "v", ""), &mut out).unwrap();
    assert_eq!(
        take(&mut matcher, commit(PUT, 105, 110), &mut out),
        Err(MatchError::BelowResolved { commit_ts: 110, resolved_ts: 110 })
    );
    assert!(out.is_empty());
}

#[test]
fn keyspace_prefixes_are_cut_off() {
    let mut matcher = matcher(0, 4);
    let mut out = Vec::new();
    let mut row = committed(PUT, 1, 2, "v", "");
    row.key = Bytes::from_static(b"x\0\0\x01key");
    take(&mut matcher, row, &mut out).unwrap();
    assert_eq!(out[0].key, &b"key"[..]);
}
