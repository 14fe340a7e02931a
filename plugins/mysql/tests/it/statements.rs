//! Statements as text, and the net effect against a model.

use crate::common::{Change, V, batch, column, del, ins, plain, row, table, text, upd};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;
use tg_plugin_mysql::{Limits, Table, Window, Written, write_statements};
use tgr1::{Batch, row_flags};
use tidegate_sdk::sql::Blocks;
use tidegate_sdk::{LogicalType as L, TableSchema};

const LIMITS: Limits = Limits { rows: 3, keys: 2, bytes: 10_000 };

fn built(schema: &TableSchema, changes: &[Change], flags: u16, safe: bool, limits: Limits) -> (Vec<String>, Written) {
    let mut window = Window::default();
    let table = Rc::new(Table::new(schema, false));
    window.push(&table, &Batch::parse(&batch(schema, changes, flags)).unwrap()).unwrap();
    let mut out = Blocks::default();
    let written = write_statements(&window, safe, limits, &mut out).unwrap();
    (out.iter().map(|s| String::from_utf8(s.to_vec()).unwrap()).collect(), written)
}

fn check(schema: &TableSchema, changes: &[Change], safe: bool, expected: &[&str]) {
    assert_eq!(built(schema, changes, 0, safe, LIMITS).0, expected);
}

#[test]
fn one_unique_key() {
    let t = plain();
    let upsert =
        |rows: &str| format!("INSERT INTO `db`.`t` (`id`,`v`) VALUES {rows} ON DUPLICATE KEY UPDATE `v`=VALUES(`v`)");
    check(&t, &[ins(1, "a"), ins(2, "b")], false, &["INSERT INTO `db`.`t` (`id`,`v`) VALUES (1,'a'),(2,'b')"]);
    check(&t, &[ins(1, "a"), ins(2, "b")], true, &[&upsert("(1,'a'),(2,'b')")]);
    check(&t, &[upd(1, "a", "b"), upd(1, "b", "c")], false, &[&upsert("(1,'c')")]);
    check(&t, &[ins(1, "a"), upd(1, "a", "it's")], false, &["INSERT INTO `db`.`t` (`id`,`v`) VALUES (1,'it\\'s')"]);
    check(&t, &[ins(1, "a"), del(1, "a")], false, &[]);
    check(&t, &[ins(1, "a"), del(1, "a")], true, &["DELETE FROM `db`.`t` WHERE `id` IN (1)"]);
    check(&t, &[del(1, "a"), ins(1, "b")], false, &[&upsert("(1,'b')")]);
    check(
        &t,
        &[ins(9, "n"), del(1, "a"), del(2, "a"), del(3, "a"), upd(4, "x", "y")],
        false,
        &[
            "DELETE FROM `db`.`t` WHERE `id` IN (1,2)",
            "DELETE FROM `db`.`t` WHERE `id` IN (3)",
            &upsert("(4,'y')"),
            "INSERT INTO `db`.`t` (`id`,`v`) VALUES (9,'n')",
        ],
    );
    let moved = Change::Update(row(1, "a"), row(2, "a"));
    check(&t, &[moved], false, &["DELETE FROM `db`.`t` WHERE `id` IN (1)", &upsert("(2,'a')")]);
}

#[test]
fn rows_that_may_be_repeated_are_upserted() {
    let (statements, _) = built(&plain(), &[ins(1, "a")], row_flags::MAYBE_REPEATED, false, LIMITS);
    assert_eq!(statements, ["INSERT INTO `db`.`t` (`id`,`v`) VALUES (1,'a') ON DUPLICATE KEY UPDATE `v`=VALUES(`v`)"]);
}

#[test]
fn several_unique_keys_replace() {
    let t = table(1, "t", vec![column("id", L::Int), column("v", L::Text)], &[&[0], &[1]]);
    check(
        &t,
        &[ins(1, "a"), upd(2, "b", "c"), del(3, "d")],
        false,
        &["DELETE FROM `db`.`t` WHERE `id` IN (3)", "REPLACE INTO `db`.`t` (`id`,`v`) VALUES (1,'a'),(2,'c')"],
    );
}

#[test]
fn keys_of_several_columns_and_of_text() {
    let t = table(1, "t`x", vec![column("a", L::Text), column("b", L::Bytes), column("n", L::Int)], &[&[1, 0]]);
    let r = |a: &str, b: &[u8], n| vec![text(a), V::B(b.to_vec()), V::I(n)];
    check(
        &t,
        &[Change::Delete(r("a", b"\xc3\xa9", 1)), Change::Update(r("x", b"y", 1), r("x", b"y", 2))],
        false,
        &[
            "DELETE FROM `db`.`t``x` WHERE (`b`,`a`) IN ((_binary'é','a'))",
            "INSERT INTO `db`.`t``x` (`a`,`b`,`n`) VALUES ('x',_binary'y',2) ON DUPLICATE KEY UPDATE `a`=VALUES(`a`),`n`=VALUES(`n`)",
        ],
    );
    let only_key = table(1, "k", vec![column("id", L::Int)], &[&[0]]);
    check(
        &only_key,
        &[Change::Insert(vec![V::I(1)])],
        true,
        &["INSERT INTO `db`.`k` (`id`) VALUES (1) ON DUPLICATE KEY UPDATE `id`=VALUES(`id`)"],
    );
}

#[test]
fn generated_columns_are_not_written_and_asked_for_only_as_keys() {
    let mut g = column("g", L::Int);
    g.props.generated = true;
    let mut t = (*table(1, "t", vec![column("id", L::Int), g.clone(), column("v", L::Int)], &[&[0]])).clone();
    assert_eq!(Table::new(&t, false).wanted(), Some(&[0_u32, 2][..]));
    t.indexes[0].columns = vec![1];
    assert_eq!(Table::new(&t, false).wanted(), None);
    let r = vec![V::I(1), V::I(2), V::I(3)];
    check(&t, &[Change::Insert(r.clone())], false, &["INSERT INTO `db`.`t` (`id`,`v`) VALUES (1,3)"]);
    check(&t, &[Change::Delete(r)], false, &["DELETE FROM `db`.`t` WHERE `g` IN (2)"]);
}

#[test]
fn without_a_key_change_by_change() {
    let mut folded = column("v", L::Text);
    folded.collation = "utf8mb4_general_ci".into();
    let t = table(1, "t", vec![column("a", L::Int), folded, column("j", L::Json)], &[]);
    let r = |a: V, v: &str, j: V| vec![a, text(v), j];
    let changes = [
        Change::Insert(r(V::I(1), "a", V::Null)),
        Change::Insert(r(V::I(1), "a", V::Null)),
        Change::Update(r(V::I(1), "a", V::Null), r(V::Null, "b", text("{}"))),
        Change::Delete(r(V::Null, "b", text("{}"))),
        Change::Insert(r(V::I(2), "c", V::Null)),
    ];
    let fold = "CONVERT(`v` USING utf8mb4) COLLATE utf8mb4_bin<=>";
    check(
        &t,
        &changes,
        false,
        &[
            "INSERT INTO `db`.`t` (`a`,`v`,`j`) VALUES (1,'a',NULL),(1,'a',NULL)",
            &format!(
                "UPDATE `db`.`t` SET `a`=NULL,`v`='b',`j`='{{}}' WHERE `a`<=>1 AND {fold}'a' AND `j`<=>NULL LIMIT 1"
            ),
            &format!("DELETE FROM `db`.`t` WHERE `a`<=>NULL AND {fold}'b' AND `j`<=>CAST('{{}}' AS JSON) LIMIT 1"),
            "INSERT INTO `db`.`t` (`a`,`v`,`j`) VALUES (2,'c',NULL)",
        ],
    );
    let (safe, _) = built(&t, &changes, 0, true, LIMITS);
    let verbs: Vec<&str> = safe.iter().map(|s| s.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["REPLACE", "DELETE", "REPLACE", "DELETE", "REPLACE"]);
}

#[test]
fn statements_keep_to_rows_and_bytes() {
    let t = plain();
    let rows: Vec<Change> = (0..7).map(|i| ins(i, "x")).collect();
    let (statements, written) = built(&t, &rows, 0, false, LIMITS);
    assert_eq!((statements.len(), written.effects, written.statements), (3, 7, 3));
    let head = "INSERT INTO `db`.`t` (`id`,`v`) VALUES ".len();
    let (statements, _) = built(&t, &rows, 0, false, Limits { rows: 100, keys: 100, bytes: head + 15 });
    assert_eq!(statements.len(), 4, "{statements:?}");
    assert!(statements.iter().all(|s| s.len() <= head + 15));
    let long = [ins(1, "x"), ins(2, &"y".repeat(100)), ins(3, "z")];
    let (statements, _) = built(&t, &long, 0, false, Limits { rows: 100, keys: 100, bytes: head + 15 });
    assert_eq!(statements.len(), 3);
}

#[test]
fn at_least_98_of_100_round_trips_are_saved() {
    let rows: Vec<Change> = (0..20_000).map(|i| upd(i, "a", "b")).collect();
    let limits = Limits { rows: 1000, keys: 999, bytes: 1 << 20 };
    let (_, written) = built(&plain(), &rows, 0, false, limits);
    assert!(written.statements * 50 <= written.effects, "{written:?}");
}

#[test]
fn a_new_version_of_a_table_starts_a_new_segment() {
    let one = plain();
    let mut two = (*one).clone();
    two.id.version = 2;
    two.columns[1].name = "w".into();
    let mut window = Window::default();
    for schema in [&*one, &two] {
        let table = Rc::new(Table::new(schema, false));
        let data = batch(schema, &[ins(1, "a")], row_flags::MAYBE_REPEATED);
        window.push(&table, &Batch::parse(&data).unwrap()).unwrap();
    }
    let mut out = Blocks::default();
    write_statements(&window, false, LIMITS, &mut out).unwrap();
    assert_eq!(out.len(), 2);
    assert!(!window.is_empty() && window.rows() == 2 && window.bytes() > 0);
    window.clear();
    assert!(window.is_empty());
}

/// What a server makes of the statements of this test's table, `(id, v)` with integers.
fn apply(model: &mut BTreeMap<i64, i64>, statement: &str) {
    let numbers = |s: &str| s.split(',').map(|n| n.parse::<i64>().unwrap()).collect::<Vec<_>>();
    if let Some(list) = statement.strip_prefix("DELETE FROM `db`.`t` WHERE `id` IN (") {
        for id in numbers(list.trim_end_matches(')')) {
            model.remove(&id);
        }
        return;
    }
    let (head, rest) = statement.split_once(" VALUES ").unwrap();
    let (rows, tail) = rest.split_once(" ON DUPLICATE").map_or((rest, false), |(r, _)| (r, true));
    for tuple in rows.trim_start_matches('(').trim_end_matches(')').split("),(") {
        let n = numbers(tuple);
        let old = model.insert(n[0], n[1]);
        assert!(old.is_none() || tail || head.starts_with("REPLACE"), "duplicate key {}", n[0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens to rows within windows, the downstream ends each window as upstream does, also when a
    /// window is written again, and no plain INSERT meets a row that is there.
    #[test]
    fn the_net_effect_is_the_upstream_state(
        ops in proptest::collection::vec((0_i64..6, 0_i64..6, any::<i16>()), 0..60),
        cuts in proptest::collection::vec(0_usize..60, 0..4),
        replace in any::<bool>(),
        again in any::<bool>(),
    ) {
        let unique: &[&[u32]] = if replace { &[&[0], &[1]] } else { &[&[0]] };
        let schema = table(1, "t", vec![column("id", L::Int), column("v", L::Int)], unique);
        let prepared = Rc::new(Table::new(&schema, false));
        let (mut up, mut down) = (BTreeMap::new(), BTreeMap::new());
        let mut window = Window::default();
        for (i, (id, other, v)) in ops.iter().enumerate() {
            let r = |id: i64, v: i64| vec![V::I(id), V::I(v)];
            let new = i64::from(*v);
            let change = match up.remove(id) {
                None => {
                    up.insert(*id, new);
                    Change::Insert(r(*id, new))
                }
                Some(old) if new % 3 == 0 => Change::Delete(r(*id, old)),
                Some(old) if new % 3 == 1 && !up.contains_key(other) => {
                    up.insert(*other, new);
                    Change::Update(r(*id, old), r(*other, new))
                }
                Some(old) => {
                    up.insert(*id, new);
                    Change::Update(r(*id, old), r(*id, new))
                }
            };
            window.push(&prepared, &Batch::parse(&batch(&schema, &[change], 0)).unwrap()).unwrap();
            if cuts.contains(&i) || i + 1 == ops.len() {
                for safe in if again { vec![false, true] } else { vec![false] } {
                    let mut out = Blocks::default();
                    write_statements(&window, safe, LIMITS, &mut out).unwrap();
                    for s in out.iter() {
                        apply(&mut down, std::str::from_utf8(s).unwrap());
                    }
                    prop_assert_eq!(&up, &down);
                }
                window.clear();
            }
        }
    }
}
