//! Transforms: what they answer is checked, and the same crate answers the same natively.

use crate::common::{batch, engine, short_spec, small_spec, spec, table};
use std::sync::Arc;
use tg_model::{Coded, DdlEvent, DdlKind, TableVersion, Ts};
use tg_plugin::grant::Secret;
use tg_plugin::native::NativeTransform;
use tg_plugin::{InstanceSpec, Kind, Plugin, TransformInstance, TransformPort};
use tg_plugin_mask::Mask;
use tg_plugin_route::Route;
use tokio::sync::OnceCell;

async fn hostile() -> &'static Plugin {
    static PLUGIN: OnceCell<Plugin> = OnceCell::const_new();
    let load = || async { Plugin::load(&engine(32), tg_plugin_hostile::TRANSFORM.to_vec()).await.unwrap() };
    PLUGIN.get_or_init(load).await
}

async fn open(mode: &str) -> TransformInstance {
    let config = format!("{mode:?}");
    let spec = if mode == "loop" { short_spec(&config) } else { small_spec(&config) };
    TransformInstance::open(hostile().await, &spec).await.unwrap()
}

fn ddl() -> Arc<DdlEvent> {
    Arc::new(DdlEvent {
        commit_ts: Ts::new(9),
        seq: 0,
        job_id: 1,
        action: 5,
        kind: DdlKind::AddColumn,
        schema: "test".to_owned(),
        table: "t".to_owned(),
        query: "ALTER TABLE `test`.`t` ADD COLUMN d INT".to_owned(),
        charset: String::new(),
        collation: String::new(),
        sql_mode: 0,
        before: Some(table()),
        after: Some(table()),
        blocks: Vec::new(),
        removes: Vec::new(),
        adds: Vec::new(),
    })
}

#[tokio::test]
async fn rows_that_are_not_those_of_the_input_are_refused() {
    for mode in [
        "garbage",
        "cut",
        "other-table",
        "column-lacking",
        "column-order",
        "time",
        "op",
        "row-flags",
        "no-image",
        "origins-of-nothing",
        "origins-fall",
        "origins-outside",
        "origins-short",
        "keeps-refused",
    ] {
        let mut t = open(mode).await;
        t.on_schema(table()).await.unwrap();
        let e = t.transform(&batch(5)).await.unwrap_err();
        assert_eq!(e.code().0, 2024, "{mode}: {e}");
        assert_eq!(t.transform(&batch(5)).await.unwrap_err().code().0, 2025, "{mode}");
    }
    for (mode, code) in [("loop", 2022), ("flood", 2023)] {
        let mut t = open(mode).await;
        t.on_schema(table()).await.unwrap();
        let e = t.transform(&batch(5)).await.unwrap_err();
        assert_eq!(e.code().0, code, "{mode}: {e}");
    }
}

#[tokio::test]
async fn tables_and_ddl_that_cannot_be_are_refused() {
    for mode in ["output-version", "output-columns", "output-type", "output-key"] {
        let e = open(mode).await.on_schema(table()).await.unwrap_err();
        assert_eq!(e.code().0, 2024, "{mode}: {e}");
    }
    for mode in ["ddl-position", "ddl-empty", "ddl-table"] {
        let e = open(mode).await.on_ddl(ddl(), false).await.unwrap_err();
        assert_eq!(e.code().0, 2024, "{mode}: {e}");
    }
}

#[tokio::test]
async fn what_is_within_the_contract_passes() {
    let mut t = open("well").await;
    let plan = t.on_schema(table()).await.unwrap();
    assert_eq!(plan.output.map(|o| o.columns.len()), Some(2));
    let input = batch(5);
    let made = t.transform(&input).await.unwrap();
    assert_eq!(made.batch.map(|b| b.as_bytes().to_vec()).as_deref(), Some(input.as_bytes()));
    assert_eq!(made.origins, [0, 1, 2, 3, 4]);
    let seen = t.on_ddl(ddl(), true).await.unwrap().unwrap();
    assert_eq!(seen.query, format!("{} /* seen */", ddl().query));
    let mut t = open("nothing").await;
    t.on_schema(table()).await.unwrap();
    assert!(t.transform(&input).await.unwrap().batch.is_none());
    assert!(open("ddl-none").await.on_ddl(ddl(), false).await.unwrap().is_none());
}

/// Opens a plugin of the box both ways, and asks both the same.
async fn both(
    bytes: &[u8],
    native: impl FnOnce(&InstanceSpec) -> NativeTransform,
    spec: &InstanceSpec,
) -> Arc<TableVersion> {
    let plugin = Plugin::load(&engine(2), bytes.to_vec()).await.unwrap();
    assert_eq!(plugin.kind(), Kind::Transform);
    let mut component = TransformInstance::open(&plugin, spec).await.unwrap();
    let mut native = native(spec);
    let plan = component.on_schema(table()).await.unwrap();
    assert_eq!(native.on_schema(table()).await.unwrap(), plan);
    if plan.active {
        let (c, n) = (component.transform(&batch(300)).await.unwrap(), native.transform(&batch(300)).await.unwrap());
        let bytes = |b: Option<tgr1::BatchBuf>| b.map(|b| b.as_bytes().to_vec());
        assert_eq!((c.origins, bytes(c.batch)), (n.origins, bytes(n.batch)));
    }
    assert_eq!(component.on_ddl(ddl(), false).await, native.on_ddl(ddl(), false).await);
    plan.output.unwrap()
}

fn with_secret(config: &str) -> InstanceSpec {
    let mut spec = spec(config);
    spec.grants.secrets.insert("pepper".to_owned(), Secret::new("s3cret"));
    spec
}

#[tokio::test]
async fn mask_hashes_as_its_component() {
    let rule = r#"{"rules":[{"table":"test.*","columns":["c"],"mask":"hash","secret":"pepper","digits":16}]}"#;
    let open = |spec: &InstanceSpec| NativeTransform::open::<Mask>(spec).unwrap();
    let output = both(tg_builtin::MASK, open, &with_secret(rule)).await;
    assert_eq!(tg_mounter_type(&output, 1), "char(16)");
    let plugin = Plugin::load(&engine(2), tg_builtin::MASK.to_vec()).await.unwrap();
    let e = TransformInstance::open(&plugin, &spec(rule)).await.err().unwrap();
    assert!(e.to_string().contains("pepper") && !e.to_string().contains("s3cret"), "{e}");
    let mut t = TransformInstance::open(&plugin, &with_secret(rule)).await.unwrap();
    t.on_schema(table()).await.unwrap();
    let made = t.transform(&batch(1)).await.unwrap().batch.unwrap();
    let row = made.batch().row(0).unwrap();
    // HMAC-SHA-256 of "hello" under "s3cret".
    assert_eq!(row.after().unwrap().str(1), Some(HASH));
}

const HASH: &str = "e5a01537481fa0b2";

fn tg_mounter_type(version: &TableVersion, at: usize) -> String {
    tg_mounter::source_type(&version.columns[at].ty)
}

#[tokio::test]
async fn mask_leaves_columns_out_and_refuses_keys() {
    let open = |spec: &InstanceSpec| NativeTransform::open::<Mask>(spec).unwrap();
    let drop = r#"{"rules":[{"table":"*.t","columns":["C"],"mask":"drop"}]}"#;
    assert_eq!(both(tg_builtin::MASK, open, &spec(drop)).await.columns.len(), 1);
    let keep = r#"{"rules":[{"table":"*.t","columns":["c"],"mask":"keep-last","keep":2}]}"#;
    both(tg_builtin::MASK, open, &spec(keep)).await;
    let mut t = open(&spec(keep));
    t.on_schema(table()).await.unwrap();
    let made = t.transform(&batch(1)).await.unwrap().batch.unwrap();
    assert_eq!(made.batch().row(0).unwrap().after().unwrap().str(1), Some("***lo"));
    let mut t = open(&spec(r#"{"rules":[{"table":"*.t","columns":["id"],"mask":"null"}]}"#));
    assert_eq!(t.on_schema(table()).await.unwrap_err().code().0, 2013);
}

#[tokio::test]
async fn route_renames_as_its_component() {
    let open = |spec: &InstanceSpec| NativeTransform::open::<Route>(spec).unwrap();
    let rules = r#"{"rules":[{"match":"test.*","database":"archive","table":"{database}_{table}"}]}"#;
    let output = both(tg_builtin::ROUTE, open, &spec(rules)).await;
    assert_eq!((output.schema.as_str(), output.name.as_str()), ("archive", "test_t"));
    let mut t = open(&spec(rules));
    t.on_schema(table()).await.unwrap();
    let seen = t.on_ddl(ddl(), false).await.unwrap().unwrap();
    assert_eq!(seen.query, "ALTER TABLE `archive`.`test_t` ADD COLUMN d INT");
    let out = r#"{"rules":[{"match":"test.t","leave-out":true}]}"#;
    let mut t = open(&spec(out));
    assert!(t.on_schema(table()).await.unwrap().active);
    assert!(t.transform(&batch(9)).await.unwrap().batch.is_none());
    assert!(t.on_ddl(ddl(), false).await.unwrap().is_none());
}

#[tokio::test]
async fn a_configuration_that_does_not_fit_is_named_by_its_key() {
    let plugin = Plugin::load(&engine(2), tg_builtin::MASK.to_vec()).await.unwrap();
    for (config, key) in [
        ("{}", "config lacks the key \"rules\""),
        (r#"{"rules":[{"table":"a.b","columns":["c"],"mask":"blur"}]}"#, "config.rules[0].mask"),
        (r#"{"rules":[{"table":"a.b","columns":["c"],"mask":"null","x":"s3cret"}]}"#, "the key \"x\""),
        ("[", "not JSON"),
    ] {
        let e = plugin.check(config, &spec("").grants).unwrap_err();
        assert_eq!(e.code().0, 2007);
        assert!(e.to_string().contains(key) && !e.to_string().contains("s3cret"), "{e}");
    }
}
