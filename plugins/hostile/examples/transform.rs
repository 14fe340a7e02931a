//! A transform that answers as its configuration names.

use std::hint::black_box;
use std::sync::Arc;
use tidegate_sdk::tgr1::{self, Batch, BatchWriter, ColumnSpec, ImageKind, Op};
use tidegate_sdk::{
    BadEvent, Context, DdlEvent, Failure, LogicalType, Manifest, RowBatch, TableSchema, Transform, TransformPlan,
    Transformed,
};

/// See the file.
pub struct Hostile {
    mode: String,
}

impl Hostile {
    /// The rows again, with something about each row changed.
    fn copy(&self, batch: &Batch<'_>) -> Result<Vec<u8>, Failure> {
        let mut specs: Vec<ColumnSpec> = batch.columns().collect();
        match self.mode.as_str() {
            "column-lacking" => specs.truncate(1),
            "column-order" => specs.reverse(),
            _ => {}
        }
        let table = batch.table() + u64::from(self.mode == "other-table");
        let mut w = BatchWriter::with_flags(table, batch.version(), &specs, 4096, batch.flags());
        for row in batch {
            let ts = row.commit_ts() + u64::from(self.mode == "time");
            let op = if self.mode == "op" { Op::Update } else { row.op() };
            let flags = if self.mode == "row-flags" { row.flags() ^ 1 } else { row.flags() };
            w.begin_row(ts, row.start_ts(), op, flags);
            for kind in [ImageKind::After, ImageKind::Before] {
                let image = row.image(kind).filter(|_| self.mode != "no-image");
                let Some(image) = image else { continue };
                w.begin_image(kind);
                for (to, spec) in specs.iter().enumerate() {
                    tgr1::copy_value(&mut w, to, image, spec.position.into(), spec.slot)?;
                }
            }
            w.end_row().map_err(|_| Failure::fatal("full", "full"))?;
        }
        Ok(w.finish())
    }
}

impl Transform for Hostile {
    fn manifest() -> Manifest {
        Manifest { config_schema: "true".to_owned(), ..Manifest::new("hostile", "1") }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        Ok(Self { mode: ctx.config.trim_matches('"').to_owned() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TransformPlan, Failure> {
        let mut output = (*schema).clone();
        match self.mode.as_str() {
            "output-version" => output.id.version += 1,
            "output-columns" => output.columns.clear(),
            "output-type" => {
                if let Some(c) = output.columns.last_mut() {
                    c.logical = LogicalType::Json;
                }
            }
            "output-key" => output.row_key = Some(9),
            _ => {}
        }
        Ok(TransformPlan { active: true, columns: None, output: Some(output), attrs: Vec::new() })
    }

    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure> {
        let rows = batch.row_count();
        let mut made = Transformed { origins: (0..rows).collect(), ..Transformed::default() };
        match self.mode.as_str() {
            "loop" => loop {
                black_box(0u64);
            },
            "garbage" => made.data = vec![0xff; 4096],
            "cut" => made.data = data.get(..data.len() / 2).unwrap_or_default().to_vec(),
            "flood" => made.data = vec![0; 100 << 20],
            "origins-of-nothing" => {}
            "nothing" => made.origins.clear(),
            _ => made.data = self.copy(&Batch::parse(data)?)?,
        }
        match self.mode.as_str() {
            "origins-fall" => made.origins.reverse(),
            "origins-outside" => made.origins.iter_mut().for_each(|o| *o += 1),
            "origins-short" => {
                made.origins.pop();
            }
            "keeps-refused" => {
                made.quarantined.push(BadEvent { row: 0, code: "x".to_owned(), message: "x".to_owned() });
            }
            _ => {}
        }
        Ok(made)
    }

    fn on_ddl(&mut self, mut ddl: DdlEvent) -> Result<Option<DdlEvent>, Failure> {
        match self.mode.as_str() {
            "ddl-position" => ddl.at.ts += 1,
            "ddl-empty" => ddl.query.clear(),
            "ddl-table" => ddl.after = None,
            "ddl-none" => return Ok(None),
            _ => ddl.query.push_str(" /* seen */"),
        }
        Ok(Some(ddl))
    }
}

tidegate_sdk::export_transform!(Hostile);
