//! {{name}}: puts stars in place of the texts of some columns.

use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_sdk::tgr1::{Batch, BatchWriter, ColumnSpec, Image, ImageKind, Value};
use tidegate_sdk::{
    Context, Failure, LogicalType, Manifest, RowBatch, TableRef, TableSchema, Transform, TransformPlan, Transformed,
};

/// What the changefeed's file may say to this plugin; the host checks it against the schema in `manifest`.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Names of the columns, in any table.
    columns: Vec<String>,
}

struct {{Camel}} {
    config: Config,
    /// Positions of the columns that are hidden, by table.
    hidden: BTreeMap<TableRef, Vec<usize>>,
}

impl Transform for {{Camel}} {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: r#"{
                "type": "object",
                "properties": { "columns": { "type": "array", "items": { "type": "string" } } },
                "additionalProperties": false
            }"#
            .to_owned(),
            ..Manifest::new("{{name}}", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let text = if ctx.config.is_empty() { "{}" } else { &ctx.config };
        let config = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        Ok(Self { config, hidden: BTreeMap::new() })
    }

    fn on_schema(&mut self, table: Arc<TableSchema>) -> Result<TransformPlan, Failure> {
        let key = table.row_key_columns();
        let mut hidden = Vec::new();
        for (i, column) in table.columns.iter().enumerate() {
            // Keys keep their values: rows that differ must stay different.
            let plain = column.logical == LogicalType::Text && !key.contains(&(i as u32));
            if plain && self.config.columns.contains(&column.name) {
                hidden.push(i);
            }
        }
        if hidden.is_empty() {
            return Ok(TransformPlan::pass());
        }
        self.hidden.insert(table.id, hidden);
        // The columns stay what they are, so there is no other output to name.
        Ok(TransformPlan { active: true, ..TransformPlan::pass() })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.hidden.remove(&table);
    }

    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure> {
        let hidden = self.hidden.get(&batch.table()).map_or(&[][..], Vec::as_slice);
        let rows = Batch::parse(data)?;
        let columns: Vec<ColumnSpec> = rows.columns().collect();
        let mut out = BatchWriter::with_flags(rows.table(), rows.version(), &columns, data.len(), rows.flags());
        for row in &rows {
            out.begin_row(row.commit_ts(), row.start_ts(), row.op(), row.flags());
            for (kind, image) in [(ImageKind::After, row.after()), (ImageKind::Before, row.before())] {
                if let Some(image) = image {
                    out.begin_image(kind);
                    copy(&mut out, &columns, &image, hidden)?;
                }
            }
            out.end_row().map_err(|e| Failure::fatal("batch", e.to_string()))?;
        }
        Ok(Transformed { origins: (0..rows.len() as u32).collect(), data: out.finish(), ..Transformed::default() })
    }
}

fn copy(out: &mut BatchWriter, columns: &[ColumnSpec], image: &Image<'_>, hidden: &[usize]) -> Result<(), Failure> {
    for (i, column) in columns.iter().enumerate() {
        match image.value(i, *column)? {
            Value::Null => {}
            Value::Int(n) => out.put_i64(i, n),
            Value::UInt(n) => out.put_u64(i, n),
            Value::Float(n) => out.put_f64(i, n),
            Value::Bytes(_) if hidden.contains(&i) => out.put_bytes(i, b"***"),
            Value::Bytes(bytes) => out.put_bytes(i, bytes),
        }
    }
    Ok(())
}

tidegate_sdk::export_transform!({{Camel}});
