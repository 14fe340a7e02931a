/** Turns what the host hands over into the types of the SDK, and back. */

import { type Attrs, Failure, fatal, unsupported } from './failure';
import * as log from './log';
import type { Reader } from './rows';
import type { Context, Ddl, Manifest, Position, Table, TableRef } from './table';

type U64 = bigint | number;
interface RawPosition { ts: U64; stage: number; seq: U64 }
interface RawRef { table: U64; version: U64 }
type RawTable = any;
export interface RawBatch {
  table(): RawRef;
  read(columns: number[] | undefined, start: number, count: number): Uint8Array;
}

const LOGICAL = ['int', 'uint', 'float32', 'float64', 'decimal', 'text', 'bytes', 'json', 'date', 'datetime', 'timestamp', 'time', 'year',
  'enumeration', 'set', 'bit', 'vector'];

/** Whether 64-bit numbers cross as bigints. QuickJS has numbers there, which lose digits above 2^53. */
let exact = true;

/** A 64-bit number for the host. */
export function lowerU64(value: bigint): U64 {
  if (exact) return value;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw unsupported('engine', `${value} cannot leave this engine with all its digits: build the plugin with TIDEGATE_JS_ENGINE=starlingmonkey`);
}

/** A 64-bit number of the host. */
export function liftU64(value: U64): bigint {
  return BigInt(value);
}

/** Bytes of the host as this script's own kind: StarlingMonkey makes them in a global of its bindings, where `instanceof` fails. */
export function bytes(raw: unknown): Uint8Array {
  if (raw instanceof Uint8Array) return raw;
  const { buffer, byteOffset, length } = raw as Uint8Array;
  return new Uint8Array(buffer, byteOffset, length);
}

/** The same of bytes that may be missing. */
export const maybeBytes = (raw: unknown): Uint8Array | undefined => (raw ? bytes(raw) : undefined);

export const position = (p: RawPosition): Position => ({ ts: liftU64(p.ts), stage: p.stage, seq: liftU64(p.seq) });
export const lowerPosition = (p: Position | null | undefined): RawPosition | undefined =>
  p ? { ts: lowerU64(p.ts), stage: p.stage, seq: lowerU64(p.seq) } : undefined;

export function context(raw: any): Context {
  exact = typeof raw.checkpoint.ts === 'bigint';
  return {
    ...raw, epoch: [liftU64(raw.epoch[0]), liftU64(raw.epoch[1])], checkpoint: position(raw.checkpoint), state: maybeBytes(raw.state),
    exact,
  };
}

export const ref = (raw: RawRef): TableRef => ({ table: liftU64(raw.table), version: liftU64(raw.version) });

export function table(raw: RawTable): Table {
  return {
    ...raw, ref: ref(raw.ref), rowKey: raw.rowKey ?? undefined,
    columns: raw.columns.map((c: any) => ({
      ...c, id: liftU64(c.id), logical: LOGICAL.indexOf(c.logical) + 1, length: c.length ?? undefined, decimals: c.decimals ?? undefined,
      defaultValue: maybeBytes(c.defaultValue),
    })),
    indexes: raw.indexes.map((i: any) => ({ ...i, columns: Array.from(i.columns) })),
  };
}

const PROPS = { nullable: false, primaryKey: false, rowKey: false, unique: false, generated: false, autoIncrement: false, unsigned: false };

export function lowerTable(t: Table): RawTable {
  return {
    ...t, ref: { table: lowerU64(t.ref.table), version: lowerU64(t.ref.version) },
    columns: t.columns.map((c) => ({ ...c, id: lowerU64(c.id), logical: LOGICAL[c.logical - 1], props: { ...PROPS, ...c.props } })),
  };
}

export const ddl = (raw: any): Ddl => ({
  ...raw, at: position(raw.at), before: raw.before ? table(raw.before) : undefined, after: raw.after ? table(raw.after) : undefined,
});

export const lowerDdl = (d: Ddl): any => ({
  ...d, at: lowerPosition(d.at), before: d.before && lowerTable(d.before), after: d.after && lowerTable(d.after),
});

/** A failure of the host's, as it is thrown here. */
export function liftFailure(raw: any): Failure {
  const { message, code, afterMs, attrs } = raw.val as { message: string; code?: string; afterMs?: number; attrs: Attrs };
  const more = { attrs, ...(code === undefined ? {} : { code }), ...(afterMs === undefined || afterMs === null ? {} : { afterMs }) };
  return new Failure(raw.tag, message, more);
}

/** What the host answered where it refused: engines hand it over within the error. */
export function payload(error: any): any {
  return error instanceof Failure || error?.payload === undefined ? null : error.payload;
}

/** Calls a capability; `lift` makes a failure of what the host answers. */
export function asking<T>(call: () => T, lift: (raw: any) => unknown): T {
  try {
    return call();
  } catch (error) {
    const raw = payload(error);
    throw raw === null ? error : lift(raw);
  }
}

function lowerFailure(error: unknown): { tag: string; val: object } {
  if (!(error instanceof Failure)) {
    const { name, message, stack } = error instanceof Error ? error : { name: 'thrown', message: String(error), stack: '' };
    log.error('the plugin threw an exception', { message, stack });
    return lowerFailure(fatal('exception', `${name}: ${message}`));
  }
  const { message, attrs, code, afterMs } = error;
  const inner = error.kind === 'fatal' || error.kind === 'unsupported' ? { code, message, attrs } : { message, afterMs, attrs };
  return { tag: error.kind, val: inner };
}

/** The body of an export: what is thrown becomes a failure the host understands. */
export function guarded<A extends unknown[], T>(body: (...args: A) => T): (...args: A) => T {
  return (...args) => {
    try {
      return body(...args);
    } catch (error) {
      throw lowerFailure(error);
    }
  };
}

/**
 * Runs a call with the rows it is lent, and gives their memory back behind it. The collector would: but it hears of such memory late, and
 * an instance would grow to five times its size first. Whoever reads a row of an earlier call gets an exception.
 */
export function lending<T>(data: Uint8Array, body: (data: Uint8Array) => T): T {
  try {
    return body(bytes(data));
  } finally {
    (data.buffer as ArrayBuffer & { transfer?(size: number): ArrayBuffer }).transfer?.(0);
  }
}

/** Reads more of a batch in the host. */
export const reader = (batch: RawBatch): Reader => (columns, start, count) =>
  asking(() => bytes(batch.read(columns, start, count)), (reason) => fatal('read', `reading more of the batch: ${reason}`));

/** Schema versions in use. Where numbers lose digits two versions can look alike: the newest is meant then. */
export class Tables<T> {
  private readonly entries = new Map<string, T[]>();

  private key(raw: RawRef): string { return `${raw.table}/${raw.version}`; }

  put(raw: RawRef, entry: T): void {
    const key = this.key(raw), alike = this.entries.get(key);
    if (alike && !exact) alike.push(entry);
    else this.entries.set(key, [entry]);
  }

  drop(raw: RawRef): void {
    const key = this.key(raw), alike = this.entries.get(key);
    alike?.shift();
    if (!alike?.length) this.entries.delete(key);
  }

  of(batch: RawBatch): T {
    const raw = batch.table(), alike = this.entries.get(this.key(raw));
    if (!alike) throw fatal('schema', `rows of table ${raw.table} version ${raw.version} came before its schema`);
    return alike[alike.length - 1]!;
  }
}

/** The component's `describe`. */
export const describe = (manifest: Manifest) => ({
  describe: () => ({
    name: manifest.name, version: manifest.version, configSchema: manifest.configSchema ? JSON.stringify(manifest.configSchema) : '',
    capabilities: (manifest.capabilities ?? []).map(({ name, reason, required }) => ({ name, reason, required: required ?? true })),
    tgrMinor: 0, attrs: manifest.attrs ?? [],
  }),
});

/** The configuration over these defaults, with values of the defaults' types; a fatal failure where they differ. */
export function settings<T extends object>(context: Context, defaults: T): T {
  const found = (context.config ? JSON.parse(context.config) : {}) as { [name: string]: unknown };
  const out = { ...defaults } as { [name: string]: unknown };
  for (const [name, otherwise] of Object.entries(defaults)) {
    if (!(name in found)) continue;
    if (otherwise !== undefined && otherwise !== null && typeof found[name] !== typeof otherwise) {
      throw fatal('config', `"${name}" is ${JSON.stringify(found[name])}, where a ${typeof otherwise} is wanted`);
    }
    out[name] = found[name];
  }
  return out as T;
}
