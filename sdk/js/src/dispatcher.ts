/** A plugin that decides where rows go: lane, target and partition of each. */

import * as border from './border';
import type { Attrs } from './failure';
import { Rows } from './rows';
import type { Context, Manifest, Table, TableRef } from './table';

/** The lane that means: leave the row out. */
export const LEAVE_OUT = 0xffff;

/** What a dispatcher wants of one table version. */
export interface DispatchPlan {
  /** Positions of the columns needed for the decision; undefined: all; empty: row headers only. */
  columns?: number[];
  /** Names that decisions point to; empty: the table itself. */
  targets?: string[];
  /** An update whose row key changed comes as a delete and an insert. */
  splitKeyUpdates?: boolean;
  attrs?: Attrs;
}

/** Where each row goes: set `lanes[i]`, `targets[i]`, `partitions[i]`. What is left alone stays 0. */
export class Decisions {
  readonly lanes: Uint16Array;
  readonly targets: Uint16Array;
  readonly partitions: Uint32Array;
  constructor(rows: number) {
    this.lanes = new Uint16Array(rows);
    this.targets = new Uint16Array(rows);
    this.partitions = new Uint32Array(rows);
  }
}

/** Decides for rows. It is pure: no capabilities, the same answer for the same rows. */
export abstract class Dispatcher {
  /** Starts. The context says how many lanes there are. */
  open(_context: Context): void {}
  /** Before the first row of a table version. */
  onSchema(_table: Table): DispatchPlan { return {}; }
  /** Partitions of each target of the table's plan, when the sink's side knows; before the table's first rows. */
  partitionCounts(_table: TableRef, _counts: number[]): void {}
  /** Decides for every row. */
  abstract dispatch(rows: Rows, to: Decisions): void;
  /** A table version is not used any more. */
  dropSchema(_table: TableRef): void {}
}

/** An empty list means 0 for every row, and is the least to copy. */
const list = (items: Uint16Array | Uint32Array): number[] => (items.some((item) => item !== 0) ? Array.from(items) : []);

/** What a component's module must export: `export const { describe, dispatcher } = exportDispatcher(manifest, () => new Mine())`. */
export function exportDispatcher(manifest: Manifest, make: () => Dispatcher) {
  let plugin: Dispatcher;
  const tables = new border.Tables<Table>();
  const { guarded } = border;
  const dispatcher = {
    open: guarded((raw: any) => {
      plugin = make();
      plugin.open(border.context(raw));
    }),
    onSchema: guarded((schema: any) => {
      const table = border.table(schema);
      const { columns, targets = [], splitKeyUpdates = false, attrs = [] } = plugin.onSchema(table);
      tables.put(schema.ref, table);
      return { columns, targets, splitKeyUpdates, attrs };
    }),
    dropSchema(ref: any) {
      tables.drop(ref);
      plugin.dropSchema(border.ref(ref));
    },
    partitionCounts: (ref: any, counts: ArrayLike<number>) => plugin.partitionCounts(border.ref(ref), Array.from(counts)),
    dispatch: guarded((batch: border.RawBatch, lent: Uint8Array) => border.lending(lent, (data) => {
      const rows = new Rows(tables.of(batch), data, [], border.reader(batch));
      const to = new Decisions(rows.length);
      plugin.dispatch(rows, to);
      return { lanes: list(to.lanes), targets: list(to.targets), partitions: list(to.partitions), quarantined: rows.bad };
    })),
  };
  return { describe: border.describe(manifest), dispatcher };
}
