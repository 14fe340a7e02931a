/** Calls every capability and logs what came of it, in the same words as the probes in other languages. */

import {
  type Barrier, type Context, type Ddl, Failure, type Plan, type Position, type Rows, Sink, type Table, decodeUtf8, encodeUtf8, exportSink, keyColumns,
  log, retryable, unsupported,
} from 'tidegate';
import * as clock from 'tidegate/clock';
import * as http from 'tidegate/http';
import { Counter, Gauge } from 'tidegate/metrics';
import { Bucket, Conflict, type Meta } from 'tidegate/object-store';
import { Messages, Producer } from 'tidegate/producer';
import * as secret from 'tidegate/secret';
import { Connection, SqlFailure } from 'tidegate/sql';
import * as state from 'tidegate/state';

const SQL_KINDS = ['retryable', 'unknown', 'fenced', 'duplicate', 'refused', 'denied'];
const DIALECTS = ['mysql', 'mariadb', 'tidb', 'other'];
const DDL_KINDS = ['create-schema', 'drop-schema', 'alter-schema', 'create-table', 'drop-table', 'truncate-table', 'rename-table', 'recover-table',
  'create-view', 'drop-view', 'add-column'];
const PROPS = ['nullable', 'primaryKey', 'rowKey', 'unique', 'generated', 'autoIncrement', 'unsigned'] as const;
const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => (b < 16 ? '0' : '') + b.toString(16)).join('');
const listed = (items: unknown[]): string => `[${items.join(' ')}]`;
const say = (name: string, v: unknown): void => log.info(name, { v });

/** Shows a failure: kind, code, message, wait. */
function fault<T>(name: string, call: () => T): T {
  let out: T;
  try {
    out = call();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error instanceof SqlFailure) say(name, SQL_KINDS.indexOf(error.sqlKind));
    const code = error.kind === 'fatal' || error.kind === 'unsupported' ? error.code : '';
    say(name, `${error.kind}/${code}/${error.message}/${error.afterMs ?? 0}`);
    return undefined as T;
  }
  say(name, 'fine');
  return out;
}
const fine = (name: string): void => fault(name, () => undefined);

class Probe extends Sink {
  override open(c: Context): void {
    // 64-bit numbers that this engine has not exactly are left out of the comparison.
    const { ts, stage, seq } = c.checkpoint;
    say('context', `${c.changefeed} ${c.slot} ${c.lane} ${c.lanes} ${c.epoch[0]} ${c.epoch[1]} ${c.config} ${ts} ${stage} ${seq} ${hex(c.state!)} ${listed(c.endpoints)}`);
    new Counter('rows').add(7n);
    new Gauge('level').set(-0.5);
  }

  override onSchema(table: Table, targets: string[]): Plan {
    const c = table.columns[1]!;
    const props = PROPS.reduce((bits, name, i) => bits | (c.props[name] ? 1 << i : 0), 0);
    say('table', `${table.database}.${table.name} ${table.columns.length} ${table.indexes.length} ${c.name} ${c.logical} ${props} ${hex(c.defaultValue!)} ${listed(keyColumns(table))} ${listed(targets)}`);
    return { columns: [0, 2], batchRows: 5, batchBytes: 6, attrs: [['a', 'ö']] };
  }

  override write(rows: Rows): void {
    rows.quarantine(1, 'bad', 'not good ö');
    say('read', rows.read([0, 2], 1, 2).length);
    fine('read');
    fault('read', () => rows.read(undefined, 2000, 1));
  }

  override buffered(): number { return 42; }
  override status(): Position { return { ts: 1000n, stage: 2, seq: 3n }; }

  override onDdl(ddl: Ddl): void {
    say('ddl', `${ddl.at.ts} ${DDL_KINDS.indexOf(ddl.kind)} ${ddl.database} ${ddl.table} ${ddl.query} ${!ddl.before} ${!!ddl.after} ${ddl.maybeDone}`);
    throw retryable('later ö', 1500);
  }

  override onTick(): void { throw new Error('asked to ö'); }
  override onCheckpoint(): void { throw unsupported('old', 'not in this build ö'); }

  override flush(barrier: Barrier): void {
    small();
    database();
    queue();
    store();
    web();
    barrier.complete = false;
    barrier.state = Uint8Array.of(1, 2);
  }
}

function small(): void {
  say('secret', secret.get('granted'));
  fine('secret');
  fault('secret', () => secret.get('other'));
  fault('state', () => state.set('k', Uint8Array.of(0, 255)));
  say('state', `${hex(state.get('k')!)} true ${listed(state.keys('', 10))}`);
  state.remove('k');
  say('state', `${state.get('k') !== undefined} ${state.keys('', 10).length}`);
  fault('state', () => state.set('large', new Uint8Array(65537)));
  say('clock', clock.wallMs());
}

function database(): void {
  fault('sql', () => new Connection('nope'));
  const conn = fault('sql', () => new Connection('db'));
  say('sql', `${DIALECTS.indexOf(conn.dialect)} ${conn.serverVersion} ${conn.maxStatementBytes}`);
  const done = conn.transact(['insert ö', 'x']);
  say('sql', `${done.affected} ${done.warnings}`);
  fine('sql');
  for (const kind of ['fine', ...SQL_KINDS]) fault('sql', () => conn.execute(`do ö ${kind}`));
  const found = fault('sql', () => conn.query('select ö', 9));
  for (const v of found.rows[0]!) say('sql', v instanceof Uint8Array ? hex(v) : v);
  say('sql', `${listed(found.columns)} ${found.rows[1]!.length}`);
}

function queue(): void {
  for (const end of ['retryable', 'unknown', 'fenced', 'fatal', 'unsupported']) fault('producer', () => new Producer(`a-${end}`));
  const p = fault('producer', () => new Producer('kafka'));
  say('producer', p.partitions('tö'));
  fine('producer');
  say('producer', p.maxMessageBytes('t'));
  fine('producer');
  fault('producer', () => p.partitions('t-fatal'));
  const m = new Messages([['hö', Uint8Array.of(0, 1)]]);
  m.add('a', encodeUtf8('v1'), { key: encodeUtf8('k1'), partition: 3 });
  m.add('bö', encodeUtf8('vö2'), { key: encodeUtf8('k2'), partition: 4 });
  fault('producer', () => p.send(m));
  fault('producer', () => p.flush());
}

const meta = (m: Meta): string => `${m.path} ${m.size} "${m.etag ?? ''}" ${m.modifiedMs}`;

function store(): void {
  const none = new Uint8Array(0);
  const b = fault('store', () => new Bucket('bucket'));
  say('store', meta(b.put('pö', Uint8Array.of(1, 2))));
  fine('store');
  say('store', meta(b.put('p-bare', none, { create: true })));
  fine('store');
  let conflict = false;
  try {
    b.put('p-conflict', none, { ifMatch: 'tag ö' });
  } catch (error) {
    conflict = error instanceof Conflict;
  }
  say('store', conflict);
  fault('store', () => b.put('p-fatal', none));
  say('store', `${hex(b.get('g', 1n, 2n)!)} true`);
  fine('store');
  say('store', b.get('g-none') !== undefined);
  say('store', `${meta(b.head('h')!)} true`);
  fine('store');
  say('store', b.head('h-none') !== undefined);
  fault('store', () => b.head('h-unknown'));
  say('store', b.list('pre', 'aft', 5).map(meta).join('; '));
  fine('store');
  fault('store', () => b.delete('d'));
  fault('store', () => b.delete('d-retryable'));
  const u = fault('store', () => b.upload('u'));
  fault('store', () => u.write(Uint8Array.of(1, 2, 3)));
  say('store', meta(u.finish()));
  fine('store');
  b.upload('u2').abort();
}

function web(): void {
  const endpoint = 'downstream';
  const request: http.Request = { endpoint, method: 'patch', path: '/status/200', headers: [['x', 'ö']], body: encodeUtf8('bö'), timeoutMs: 9 };
  const r = fault('http', () => http.send(request));
  say('http', `${r.status} ${r.headers[0]![0]} ${r.headers[0]![1]} ${decodeUtf8(r.body)}`);
  for (const path of ['/refused', '/not-sent', '/unknown', '/too-large']) fault('http', () => http.send({ endpoint, method: 'get', path }));
  for (const status of [404, 429, 503]) fault('http', () => http.check(http.send({ endpoint, method: 'get', path: `/status/${status}` })));
}

export const { describe, sink } = exportSink({ name: 'probe', version: '1.0.0' }, () => new Probe());
