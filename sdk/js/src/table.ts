/** Tables, positions and DDL as a plugin sees them. */

import type { Attrs } from './failure';
import type { Logical } from './tgr1';

/**
 * Everything below ts and `seq` rows at it (stage 0), rows at ts (1), the DDL at ts (2), the syncpoint at ts (3). For reading only where
 * `Context.exact` is false.
 */
export interface Position { ts: bigint; stage: number; seq: bigint }

/** One immutable version of one table's schema. */
export interface TableRef { table: bigint; version: bigint }

export interface Column {
  id: bigint;
  name: string;
  logical: Logical;
  /** As SQL spells it in lower case, for example `decimal(18,4) unsigned`. */
  sourceType: string;
  props: Partial<Record<'nullable' | 'primaryKey' | 'rowKey' | 'unique' | 'generated' | 'autoIncrement' | 'unsigned', boolean>>;
  length: number | undefined;
  decimals: number | undefined;
  charset: string;
  collation: string;
  /** Of ENUM and SET. */
  members: string[];
  defaultValue: Uint8Array | undefined;
  attrs: Attrs;
}

export interface Index { name: string; columns: number[]; unique: boolean; primary: boolean }

/** One version of a table's schema. Columns generated on read are left out. */
export interface Table {
  ref: TableRef;
  database: string;
  name: string;
  columns: Column[];
  indexes: Index[];
  /** Index that identifies a row; undefined: the whole row does. */
  rowKey: number | undefined;
  charset: string;
  collation: string;
  attrs: Attrs;
}

/** Positions of the columns that identify a row: those of the row key, or all. */
export function keyColumns(table: Table): number[] {
  const index = table.rowKey === undefined ? undefined : table.indexes[table.rowKey];
  return index ? index.columns : table.columns.map((_, i) => i);
}

/** One statement that changes schemas. */
export interface Ddl {
  at: Position;
  /** As the contract names it, for example `add-column`. */
  kind: string;
  database: string;
  table: string;
  /** One statement in the source's dialect that names its objects in full. */
  query: string;
  before: Table | undefined;
  after: Table | undefined;
  /** Handed over before with an outcome that is not known: look before doing it again. */
  maybeDone: boolean;
  attrs: Attrs;
}

/** What an instance was started for. */
export interface Context {
  changefeed: string;
  slot: number;
  /** This instance writes lane `lane` of `lanes`. The instance that runs DDL has lane = lanes. */
  lane: number;
  lanes: number;
  /** Fencing token; greater means newer. */
  epoch: [bigint, bigint];
  /** JSON text of the plugin's part of the changefeed's configuration, checked against the manifest's schema. */
  config: string;
  /** Everything up to here is durable already. */
  checkpoint: Position;
  /** What this plugin (or the version before it) returned with its last acknowledged barrier. */
  state: Uint8Array | undefined;
  endpoints: string[];
  tgrMinor: number;
  attrs: Attrs;
  /** Whether positions and 64-bit numbers of this context, of barriers and DDLs have all their digits: not so in QuickJS. */
  exact: boolean;
}

export interface Capability { name: string; reason: string; required?: boolean }

/** What a plugin says of itself before anything else runs. */
export interface Manifest {
  name: string;
  version: string;
  /** JSON Schema of the configuration; without it: takes none. */
  configSchema?: object;
  capabilities?: Capability[];
  attrs?: Attrs;
}
