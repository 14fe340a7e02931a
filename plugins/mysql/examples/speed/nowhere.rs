//! A database that takes everything and does nothing, for the component and for its native twin.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{
    ChangefeedId, Column, ColumnFlags, ColumnType, Index, LaneId, Position, SlotId, TableId, TableKey, TableVersion,
    Ts, TypeCode,
};
use tg_plugin::grant::{self, LaneContext};
use tg_plugin::{EngineOptions, Grants, InstanceSpec, Limits, Plugin, PluginEngine, SinkInstance};
use tidegate_sdk::{native, sql};

/// See the module.
pub(crate) struct Nowhere;

const VERSION: &str = "10.11.0-MariaDB";
const PACKET_BYTES: u32 = 16 << 20;

type Answer<'a, T> = BoxFuture<'a, Result<T, grant::SqlError>>;

impl grant::SqlEndpoint for Nowhere {
    fn connect(&self, _: LaneContext) -> Answer<'_, Box<dyn grant::SqlConnection>> {
        async { Ok(Box::new(Self) as Box<dyn grant::SqlConnection>) }.boxed()
    }
}

impl grant::SqlConnection for Nowhere {
    fn dialect(&self) -> grant::Dialect {
        grant::Dialect::Mariadb
    }
    fn server_version(&self) -> String {
        VERSION.to_owned()
    }
    fn max_statement_bytes(&self) -> u32 {
        PACKET_BYTES
    }
    fn durable_at_open(&self) -> Option<Position> {
        None
    }
    fn durable(&mut self) -> Answer<'_, Option<Position>> {
        async { Ok(None) }.boxed()
    }
    fn transact<'a>(&'a mut self, s: grant::Blocks<'a>, _: Option<Position>) -> Answer<'a, grant::ExecResult> {
        std::hint::black_box(s.data);
        async { Ok(grant::ExecResult::default()) }.boxed()
    }
    fn execute<'a>(&'a mut self, _: &'a str) -> Answer<'a, grant::ExecResult> {
        async { Ok(grant::ExecResult::default()) }.boxed()
    }
    fn query<'a>(&'a mut self, _: &'a str, _: u32) -> Answer<'a, grant::ResultSet> {
        async { Ok(grant::ResultSet::default()) }.boxed()
    }
}

impl native::Host for Nowhere {
    fn sql_open(&self, _: &str) -> Result<Box<dyn native::SqlConnection>, sql::SqlError> {
        Ok(Box::new(Self))
    }
}

impl native::SqlConnection for Nowhere {
    fn dialect(&self) -> sql::Dialect {
        sql::Dialect::Mariadb
    }
    fn server_version(&self) -> String {
        VERSION.to_owned()
    }
    fn max_statement_bytes(&self) -> u32 {
        PACKET_BYTES
    }
    fn transact(&self, data: &[u8], _: &[u32]) -> Result<sql::ExecResult, sql::SqlError> {
        std::hint::black_box(data);
        Ok(sql::ExecResult::default())
    }
    fn execute(&self, _: &str) -> Result<sql::ExecResult, sql::SqlError> {
        Ok(sql::ExecResult::default())
    }
    fn query(&self, _: &str, _: u32) -> Result<sql::ResultSet, sql::SqlError> {
        Ok(sql::ResultSet::default())
    }
}

/// The component.
pub(crate) async fn instance() -> SinkInstance {
    let endpoint: Arc<dyn grant::SqlEndpoint> = Arc::new(Nowhere);
    let changefeed = ChangefeedId { namespace: "default".to_owned(), name: "speed".to_owned() };
    let spec = InstanceSpec {
        lane: LaneContext { changefeed, slot: SlotId(0), lane: LaneId(0), epoch: (1, 1) },
        lanes: 1,
        config: String::new(),
        checkpoint: Position::ZERO,
        state: None,
        grants: Grants { sql: BTreeMap::from([("downstream".to_owned(), endpoint)]), ..Grants::default() },
        limits: Limits::SINK,
    };
    let engine = PluginEngine::new(&EngineOptions { instances_max: 2, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, tg_builtin::MYSQL.to_vec()).await.unwrap();
    SinkInstance::open(&plugin, &spec).await.unwrap().0
}

fn column(id: i64, name: &str, code: TypeCode) -> Column {
    let text = code == TypeCode::Char;
    let of_text = |s: &str| if text { s.to_owned() } else { String::new() };
    let ty = ColumnType {
        code,
        len: None,
        decimals: None,
        unsigned: false,
        zerofill: false,
        charset: of_text("utf8mb4"),
        collation: of_text("utf8mb4_bin"),
        members: Vec::new(),
    };
    Column {
        id,
        name: name.to_owned(),
        ty,
        flags: ColumnFlags { primary_key: id == 1, row_key: id == 1, unique: id == 1, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

/// The table as the host knows it.
pub(crate) fn version() -> Arc<TableVersion> {
    let primary = Index {
        id: 1,
        name: "PRIMARY".to_owned(),
        columns: vec![0],
        prefix_len: vec![None],
        unique: true,
        primary: true,
    };
    Arc::new(TableVersion {
        table: TableId(1),
        since: Ts::new(1),
        update_ts: Ts::new(1),
        schema_id: 2,
        schema: "db".to_owned(),
        name: "sbtest1".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        by_id: (1..).zip(0..4).collect(),
        columns: vec![
            column(1, "id", TypeCode::BigInt),
            column(2, "k", TypeCode::Int),
            column(3, "c", TypeCode::Char),
            column(4, "pad", TypeCode::Char),
        ],
        indexes: vec![primary],
        row_key: Some(0),
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}
