/** A plugin that turns rows to rows, before dispatch: reshape, mask, rename, leave out. */

import * as border from './border';
import { type Attrs, fatal } from './failure';
import { type Row, Rows } from './rows';
import type { Context, Ddl, Manifest, Table, TableRef } from './table';
import { type Batch, FLAG_ABSENT, type RawValue, SLOT_OF } from './tgr1';
import { type ABSENT, BatchFull, Writer } from './writer';

/** What becomes of one table version. */
export interface TransformPlan {
  /** `transform` is called for rows of this table. */
  active?: boolean;
  /** Positions of the columns wanted; undefined: all. */
  columns?: number[];
  /** What the table is to everyone behind, with the same ref; undefined: as it was. */
  output?: Table;
  attrs?: Attrs;
}

/** Takes the rows of the answer. */
export class Output {
  readonly origins: number[] = [];
  readonly writer: Writer;
  constructor(table: Table, like: Batch) {
    const columns = table.columns.map(({ logical }, position) => ({ position, slot: SLOT_OF[logical]!, logical }));
    this.writer = new Writer(table.ref.table, table.ref.version, columns, (like.flags & FLAG_ABSENT) !== 0);
  }

  /** Adds a row that comes from row `number` of the input, with its timestamps, op, flags and route. Values are raw, as `Image.value`. */
  row(number: number, source: Row, after: (RawValue | typeof ABSENT)[] | null, before: (RawValue | typeof ABSENT)[] | null): void {
    const { commitTs, startTs, op, flags, partition, target, lane } = source.raw;
    try {
      this.writer.row({ commitTs, startTs, op, flags, partition, target, lane }, after, before);
    } catch (error) {
      throw error instanceof BatchFull ? fatal('batch', error.message) : error;
    }
    this.origins.push(number);
  }
}

/** Changes rows. It is pure: no capabilities, the same answer for the same rows. */
export abstract class Transform {
  /** Starts. */
  open(_context: Context): void {}
  /** Before the first row of a table version: what becomes of the table. */
  onSchema(_table: Table): TransformPlan { return {}; }
  /** Writes rows, in the order of the input, each with the images of the row it came from. */
  abstract transform(rows: Rows, out: Output): void;
  /** The statement as everyone behind is to see it; null: not at all. */
  onDdl(ddl: Ddl): Ddl | null { return ddl; }
  /** A table version is not used any more. */
  dropSchema(_table: TableRef): void {}
}

/** What a component's module must export: `export const { describe, transform } = exportTransform(manifest, () => new Mine())`. */
export function exportTransform(manifest: Manifest, make: () => Transform) {
  let plugin: Transform;
  const tables = new border.Tables<{ table: Table; output: Table }>();
  const { guarded } = border;
  const transform = {
    open: guarded((raw: any) => {
      plugin = make();
      plugin.open(border.context(raw));
    }),
    onSchema: guarded((schema: any) => {
      const table = border.table(schema);
      const { active = false, columns, output, attrs = [] } = plugin.onSchema(table);
      tables.put(schema.ref, { table, output: output ?? table });
      // The ref goes back as it came: an engine may not have all its digits.
      return { active, columns, output: output && { ...border.lowerTable(output), ref: schema.ref }, attrs };
    }),
    dropSchema(ref: any) {
      tables.drop(ref);
      plugin.dropSchema(border.ref(ref));
    },
    transform: guarded((batch: border.RawBatch, lent: Uint8Array) => border.lending(lent, (data) => {
      const { table, output } = tables.of(batch);
      const rows = new Rows(table, data, [], border.reader(batch));
      // The batch says exactly which version it is.
      const ref = { table: rows.batch.table, version: rows.batch.version };
      const out = new Output({ ...output, ref }, rows.batch);
      plugin.transform(rows, out);
      return { data: out.origins.length ? out.writer.finish() : new Uint8Array(0), origins: out.origins, quarantined: rows.bad };
    })),
    onDdl: guarded((raw: any) => {
      const ddl = plugin.onDdl(border.ddl(raw));
      return ddl ? border.lowerDdl(ddl) : undefined;
    }),
  };
  return { describe: border.describe(manifest), transform };
}
