/** A plugin that writes somewhere. */

import * as border from './border';
import type { Attrs } from './failure';
import { Rows } from './rows';
import type { Context, Ddl, Manifest, Position, Table, TableRef } from './table';
import { emptyBatch } from './writer';

/** What a sink wants of one table version. */
export interface Plan {
  /** Positions of the columns wanted; undefined: all; empty: row headers only. */
  columns?: number[];
  /** False: `write` gets no rows; they are read on demand. */
  deliver?: boolean;
  batchRows?: number;
  batchBytes?: number;
  attrs?: Attrs;
}

export type BarrierKind = 'checkpoint' | 'ddl' | 'swap' | 'stop';

/** A demand to make everything written durable. What a sink leaves in `complete` and `state` is the answer. */
export class Barrier {
  /** False: not everything is durable yet; the host asks again. */
  complete = true;
  /** Saved by the host in one step with the checkpoint; at most 64 KiB. */
  state: Uint8Array | undefined = undefined;
  constructor(readonly id: number, readonly kind: BarrierKind, readonly at: Position) {}
}

/** Writes rows. One instance serves one lane of one slot, and the host makes one call at a time. */
export abstract class Sink {
  /** Starts. Everything up to the context's checkpoint is durable already. */
  open(_context: Context): void {}
  /** Before the first row of a table version. */
  onSchema(_table: Table, _targets: string[]): Plan { return {}; }
  /** Takes rows of one table version, in commit order; they need not be durable yet. */
  abstract write(rows: Rows): void;
  /** Makes everything written so far durable. */
  abstract flush(barrier: Barrier): void;
  /** Only between barriers; statements are passed over unless this is overridden. */
  onDdl(_ddl: Ddl): void {}
  /** What the sink's own store holds: asked after `open` and after failures of unknown outcome. Null: it keeps no position. */
  status(): Position | null { return null; }
  /** Up to where the whole changefeed is durable; on the instance that runs DDL, about once a second. */
  onCheckpoint(_at: Position): void {}
  /** Every second. */
  onTick(): void {}
  /** Bytes held and not durable: the host may flush early. */
  buffered(): number { return 0; }
  /** A table version is not used any more. */
  dropSchema(_table: TableRef): void {}
  /** The last call. */
  close(): void {}
}

interface Entry { table: Table; targets: string[]; deliver: boolean }

/** What a component's module must export: `export const { describe, sink } = exportSink(manifest, () => new MySink())`. */
export function exportSink(manifest: Manifest, make: () => Sink) {
  let plugin: Sink;
  const tables = new border.Tables<Entry>();
  const { guarded } = border;
  const sink = {
    open: guarded((raw: any) => {
      plugin = make();
      plugin.open(border.context(raw));
      return border.lowerPosition(plugin.status());
    }),
    onSchema: guarded((schema: any, targets: string[]) => {
      const table = border.table(schema);
      const { columns, deliver = true, batchRows, batchBytes, attrs = [] } = plugin.onSchema(table, targets);
      tables.put(schema.ref, { table, targets, deliver });
      return { columns, deliver, batchRows, batchBytes, attrs };
    }),
    dropSchema(ref: any) {
      tables.drop(ref);
      plugin.dropSchema(border.ref(ref));
    },
    onDdl: guarded((raw: any) => plugin.onDdl(border.ddl(raw))),
    write: guarded((batch: border.RawBatch, lent: Uint8Array) => border.lending(lent, (data) => {
      const { table, targets, deliver } = tables.of(batch);
      const rows = new Rows(table, deliver ? data : emptyBatch(), targets, border.reader(batch));
      plugin.write(rows);
      return { quarantined: rows.bad, bufferedBytes: border.lowerU64(BigInt(plugin.buffered())) };
    })),
    flush: guarded(({ id, kind, at }: any) => {
      const barrier = new Barrier(id, kind, border.position(at));
      plugin.flush(barrier);
      return { barrier: id, complete: barrier.complete, state: barrier.state };
    }),
    status: guarded(() => border.lowerPosition(plugin.status())),
    onCheckpoint: guarded((at: any) => plugin.onCheckpoint(border.position(at))),
    onTick: guarded(() => plugin.onTick()),
    close: () => plugin.close(),
  };
  return { describe: border.describe(manifest), sink };
}
