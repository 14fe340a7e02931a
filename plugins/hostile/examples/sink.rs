//! A sink that does in `write`, `open` or `flush` what its configuration names.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, reason = "it is there to fail")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tidegate_sdk::metrics::{Counter, Gauge, Histogram};
use tidegate_sdk::object_store::Bucket;
use tidegate_sdk::producer::Producer;
use tidegate_sdk::sql::Connection;
use tidegate_sdk::{
    Ack, BadEvent, Barrier, Context, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableSchema, WriteOutcome,
    clock, http, log, secret, state,
};

/// See the file.
pub struct Hostile {
    mode: String,
    /// Held, so that the host has somebody to ask what is durable.
    connection: Option<Connection>,
    /// The barrier before.
    last_barrier: u32,
}

/// Recursion without end that keeps little in memory, so that the stack of calls ends first. Nothing here makes it a loop.
fn dive(n: u64) -> u64 {
    if black_box(n) == u64::MAX { 0 } else { (dive(n + 1) ^ n).rotate_left((n % 64) as u32) }
}

/// Recursion without end whose frames lie in memory.
fn dive_wide(n: u64) -> u64 {
    if black_box(n) == u64::MAX {
        return 0;
    }
    let frame = black_box([n; 64]);
    let below = dive_wide(black_box(n + 1));
    below ^ black_box(frame)[(n % 64) as usize]
}

fn spin() -> ! {
    loop {
        black_box(0u64);
    }
}

fn refused(what: &str, got_through: bool) -> Result<WriteOutcome, Failure> {
    if got_through { Err(Failure::fatal("escaped", what.to_owned())) } else { Ok(WriteOutcome::default()) }
}

impl Hostile {
    /// Things that must not end well, or must not work.
    fn misbehave(&self, batch: &dyn RowBatch) -> Result<WriteOutcome, Failure> {
        match self.mode.as_str() {
            "loop" => spin(),
            "trap" => panic!("on purpose"),
            "abort" => std::process::abort(),
            "exit" => std::process::exit(0),
            "stack" => {
                black_box(dive(0));
            }
            "stack-wide" => {
                black_box(dive_wide(0));
            }
            "memory" => {
                let mut kept = Vec::new();
                loop {
                    kept.push(black_box(vec![1u8; 1 << 20]));
                }
            }
            "sleep" => std::thread::sleep(Duration::from_secs(3600)),
            "log-flood" => loop {
                log::info(&"x".repeat(100_000), &[]);
            },
            "stdout-flood" => loop {
                println!("{}", "x".repeat(1000));
            },
            "slow-loop" => loop {
                std::thread::sleep(Duration::from_millis(5));
                log::debug("still here", &[]);
            },
            "endpoint-storm" => loop {
                if let Some(c) = &self.connection {
                    let _ = c.execute("SELECT 1");
                }
            },
            "clock-storm" => loop {
                black_box((clock::wall_ms(), clock::monotonic_ns(), std::time::SystemTime::now()));
            },
            "random-storm" => loop {
                use std::hash::BuildHasher as _;
                black_box(std::collections::hash_map::RandomState::new().hash_one(7));
            },
            "metric-storm" => loop {
                Gauge::new(&"g".repeat(100)).set(f64::NAN);
                Histogram::new("h").observe(f64::INFINITY);
            },
            "state-flood" => {
                let kept = (0..1000).take_while(|n| state::set(&format!("k{n}"), &[0; 1000]).is_ok()).count();
                return refused("state", kept > 70);
            }
            "state-keys" => loop {
                black_box(state::keys("", u32::MAX));
            },
            "secret" => return refused("secret", secret::get("password").is_ok()),
            "http" => {
                let request = |endpoint: &str| http::Request {
                    endpoint: endpoint.to_owned(),
                    method: http::Method::Get,
                    path: "/".to_owned(),
                    headers: Vec::new(),
                    body: Vec::new(),
                    timeout_ms: None,
                };
                let asked = ["evil", "http://127.0.0.1:1/", ""].map(|e| http::send(request(e)).is_ok());
                return refused("http", asked.contains(&true));
            }
            "queue" => return refused("queue", Producer::open("kafka").is_ok()),
            "store" => return refused("store", Bucket::open("s3").is_ok()),
            "storm" => loop {
                let _ = Connection::open("not-granted");
            },
            "handles" => {
                let kept: Vec<Counter> = (0..1_000_000).map(|n| Counter::new(&format!("c{n}"))).collect();
                black_box(kept.len());
            }
            "read-flood" => loop {
                let _ = batch.read(None, 0, u32::MAX);
            },
            "read-outside" => {
                let rows = batch.row_count();
                let bad =
                    [batch.read(Some(&[99]), 0, 1), batch.read(None, rows + 1, 1), batch.read(Some(&[0; 9]), 0, 1)];
                return refused("rows", bad.iter().any(Result::is_ok));
            }
            "files" => return refused("files", std::fs::read_dir("/").is_ok() || std::fs::write("/x", b"x").is_ok()),
            "env" => return refused("environment", std::env::vars().count() + std::env::args().count() > 0),
            "net" => {
                let out = std::net::TcpStream::connect("127.0.0.1:22").is_ok();
                let inward = std::net::TcpListener::bind("127.0.0.1:0").is_ok();
                return refused("network", out || inward);
            }
            "clock" => {
                black_box((std::time::SystemTime::now(), std::time::Instant::now()));
                black_box(std::collections::hash_map::RandomState::new());
            }
            "row-outside" => {
                let bad = BadEvent { row: batch.row_count(), code: "x".into(), message: "x".into() };
                return Ok(WriteOutcome { quarantined: vec![bad], buffered_bytes: 0 });
            }
            "too-many-refused" => {
                let bad = BadEvent { row: 0, code: "x".into(), message: "x".repeat(100) };
                let quarantined = vec![bad; batch.row_count() as usize + 1];
                return Ok(WriteOutcome { quarantined, buffered_bytes: 0 });
            }
            "huge-answer" => {
                let bad = BadEvent { row: 0, code: "x".into(), message: "x".repeat(100_000) };
                return Ok(WriteOutcome { quarantined: vec![bad; 1000], buffered_bytes: 0 });
            }
            "long-message" => return Err(Failure::fatal("x".repeat(100_000), "y".repeat(1_000_000))),
            _ => {}
        }
        Ok(WriteOutcome::default())
    }
}

impl Sink for Hostile {
    fn manifest() -> Manifest {
        Manifest { config_schema: "true".to_owned(), ..Manifest::new("hostile", "1") }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let mode = ctx.config.trim_matches('"').to_owned();
        match mode.as_str() {
            "open-abort" => std::process::abort(),
            "open-loop" => spin(),
            "open-stage" => {
                return Ok((
                    Self { mode, connection: None, last_barrier: 0 },
                    Some(Position { ts: 1, stage: 9, seq: 0 }),
                ));
            }
            "open-endpoint" => {
                Connection::open("not-granted")?;
            }
            _ => {}
        }
        let connection = ctx.endpoints.first().map(|name| Connection::open(name)).transpose()?;
        Ok((Self { mode, connection, last_barrier: 0 }, None))
    }

    fn on_schema(&mut self, _: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        let columns = (self.mode == "column-outside").then(|| vec![77]);
        Ok(TablePlan { columns, ..TablePlan::default() })
    }

    fn write(&mut self, batch: &dyn RowBatch, _: &[u8]) -> Result<WriteOutcome, Failure> {
        self.misbehave(batch)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        let ack = Ack::complete(&barrier);
        Ok(match self.mode.as_str() {
            "repeated-ack" => {
                let before = std::mem::replace(&mut self.last_barrier, barrier.id);
                Ack { barrier: if before == 0 { barrier.id } else { before }, ..ack }
            }
            "wrong-ack" => Ack { barrier: barrier.id.wrapping_add(1), ..ack },
            "huge-state" => Ack { state: Some(vec![0; (64 << 10) + 1]), ..ack },
            _ => ack,
        })
    }
}

tidegate_sdk::export_sink!(Hostile);
