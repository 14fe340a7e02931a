/** SQL databases. Connections, TLS, credentials, timeouts and fencing belong to the host. */

import * as raw from 'tidegate:plugin/sql@1.0.0';
import { asking, bytes, liftU64 } from './border';
import { Failure, type FailureKind } from './failure';
import { encodeUtf8 } from './text';

export type SqlErrorKind = 'retryable' | 'unknown' | 'fenced' | 'duplicate' | 'refused' | 'denied';

/** What failed, with what the host does about it when a plugin lets it through. */
export class SqlFailure extends Failure {
  readonly sqlKind: SqlErrorKind;
  readonly errno: number;
  readonly sqlState: string;

  constructor({ kind, errno, sqlstate, message }: { kind: SqlErrorKind; errno: number; sqlstate: string; message: string }) {
    const hint = kind === 'retryable' || kind === 'unknown' || kind === 'fenced';
    super(hint ? (kind as FailureKind) : 'fatal', `${message} (errno ${errno}, ${sqlstate})`, { code: `sql-${errno}` });
    this.sqlKind = kind;
    this.errno = errno;
    this.sqlState = sqlstate;
  }
}

export interface Result { affected: bigint; warnings: number }
export type SqlValue = null | bigint | number | string | Uint8Array;
export interface ResultSet { columns: string[]; rows: SqlValue[][] }

/** An integer with all its digits, or an error: QuickJS has numbers where it is handed 64 bits. */
function integer(value: bigint | number): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new Failure('unsupported', `${value} lost digits in this engine: select it as text (CAST(... AS CHAR))`, { code: 'engine' });
  }
  return liftU64(value);
}

function value(v: raw.Value): SqlValue {
  if (v.tag === 'null') return null;
  if (v.tag === 'bytes') return bytes(v.val);
  return v.tag === 'int' || v.tag === 'uint' ? integer(v.val) : v.val;
}

const asked = <T>(call: () => T): T => asking(call, (error) => new SqlFailure(error));
const result = ({ affected, warnings }: { affected: bigint | number; warnings: number }): Result => ({ affected: liftU64(affected), warnings });

/** A connection the host keeps. What fails throws a `SqlFailure`. */
export class Connection {
  private readonly raw: raw.Connection;

  /** `endpoint` is one of the context's. */
  constructor(endpoint: string) {
    this.raw = asked(() => raw.Connection.open(endpoint));
  }

  /** `mysql`, `mariadb`, `tidb` or `other`. */
  get dialect(): string { return this.raw.dialect(); }
  get serverVersion(): string { return this.raw.serverVersion(); }
  /** Largest statement the server takes. */
  get maxStatementBytes(): number { return this.raw.maxStatementBytes(); }

  /** One transaction, in as few round trips as the protocol allows. On a fenced endpoint the lane's progress goes into it. */
  transact(statements: string[]): Result {
    const blocks = statements.map(encodeUtf8);
    const data = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0)), ends: number[] = [];
    let end = 0;
    for (const block of blocks) {
      data.set(block, end);
      ends.push((end += block.length));
    }
    return result(asked(() => this.raw.transact({ data, ends })));
  }

  /** One statement outside a transaction (DDL, session settings). */
  execute(statement: string): Result {
    return result(asked(() => this.raw.execute(statement)));
  }

  /** At most `maxRows` rows. */
  query(statement: string, maxRows = 1000): ResultSet {
    const { columns, rows } = asked(() => this.raw.query(statement, maxRows));
    return { columns, rows: rows.map((row) => row.map(value)) };
  }
}
