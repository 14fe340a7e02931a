//! A sink built against the frozen text of contract 1.0.0, with nothing of today's SDK.
#![cfg(target_arch = "wasm32")]

use std::cell::Cell;
use tg_plugin_hostile::past::exports::tidegate::plugin::describe::{Guest as Describe, Manifest};
use tg_plugin_hostile::past::exports::tidegate::plugin::sink::{Ack, Barrier, Guest as Sink, TablePlan, WriteOutcome};
use tg_plugin_hostile::past::tidegate::plugin::metrics::Counter;
use tg_plugin_hostile::past::tidegate::plugin::rows::RowBatch;
use tg_plugin_hostile::past::tidegate::plugin::session::Context;
use tg_plugin_hostile::past::tidegate::plugin::types::{
    DdlEvent, Failure, FatalError, Position, TableRef, TableSchema,
};
use tg_plugin_hostile::past::tidegate::plugin::{http, log, secret, state};

thread_local! {
    static ROWS: Cell<u64> = const { Cell::new(0) };
}

struct Past;

impl Describe for Past {
    fn describe() -> Manifest {
        Manifest {
            name: "past".to_owned(),
            version: "1.0.0".to_owned(),
            config_schema: String::new(),
            capabilities: Vec::new(),
            tgr_minor: 0,
            attrs: Vec::new(),
        }
    }
}

fn fatal(message: String) -> Failure {
    Failure::Fatal(FatalError { code: "past".to_owned(), message, attrs: Vec::new() })
}

impl Sink for Past {
    fn open(ctx: Context) -> Result<Option<Position>, Failure> {
        let before = state::get("rows").and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
        ROWS.set(before);
        log::log(log::Level::Info, "opened", &[("lane".to_owned(), ctx.lane.to_string())]);
        if secret::get("none").is_ok() {
            return Err(fatal("a secret that nobody granted".to_owned()));
        }
        let request = http::Request {
            endpoint: "none".to_owned(),
            method: http::Method::Get,
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: None,
        };
        match http::send(&request) {
            Err(http::HttpError::Refused(_)) => Ok(None),
            other => Err(fatal(format!("{other:?}"))),
        }
    }

    fn on_schema(schema: TableSchema, _: Vec<String>) -> Result<TablePlan, Failure> {
        let columns = Some((0..schema.columns.len() as u32).collect());
        Ok(TablePlan { columns, deliver: true, batch_rows: None, batch_bytes: None, attrs: Vec::new() })
    }

    fn drop_schema(_: TableRef) {}

    fn on_ddl(_: DdlEvent) -> Result<(), Failure> {
        Ok(())
    }

    fn write(batch: &RowBatch, data: Vec<u8>) -> Result<WriteOutcome, Failure> {
        if !data.starts_with(b"TGR1") {
            return Err(fatal("no batch".to_owned()));
        }
        let rows = u64::from(batch.row_count());
        ROWS.set(ROWS.get() + rows);
        Counter::new("rows").add(rows);
        Ok(WriteOutcome { quarantined: Vec::new(), buffered_bytes: 0 })
    }

    fn flush(barrier: Barrier) -> Result<Ack, Failure> {
        state::set("rows", &ROWS.get().to_le_bytes()).map_err(fatal)?;
        Ok(Ack { barrier: barrier.id, complete: true, state: None })
    }

    fn status() -> Result<Option<Position>, Failure> {
        Ok(None)
    }

    fn on_checkpoint(_: Position) -> Result<(), Failure> {
        Ok(())
    }

    fn on_tick() -> Result<(), Failure> {
        Ok(())
    }

    fn close() {}
}

tg_plugin_hostile::past::export!(Past with_types_in tg_plugin_hostile::past);
