// Capabilities in memory, for the border test. Each writes down what it was asked, then answers as the last letters of what it was
// asked say: "retry", "fatal", "conflict" and so on.

const failure = (tag) =>
  tag === 'retryable' || tag === 'unknown' || tag === 'fenced'
    ? { tag, val: { message: `${tag} ö`, afterMs: tag === 'retryable' ? 7 : undefined, attrs: [['k', 'v']] } }
    : { tag, val: { code: 'code ö', message: `${tag} ö`, attrs: [] } };

/** An error as jco wants it thrown. */
const fail = (payload) => Object.assign(new Error('asked to fail'), { payload });
const kindOf = (text) => ['retryable', 'unknown', 'fenced', 'fatal', 'unsupported'].find((tag) => text.endsWith(tag));
const refuse = (text) => {
  const tag = kindOf(text);
  if (tag) throw fail(failure(tag));
};

export class RowBatch {
  constructor({ ref, data }, record) {
    Object.assign(this, { ref, data, record });
  }
  table() {
    return this.ref;
  }
  rowCount() {
    return 3;
  }
  byteSize() {
    return this.data.length;
  }
  read(columns, start, count) {
    this.record.push(['rows.read', columns && [...columns], start, count]);
    if (start > 1000) throw fail('no such row ö');
    return this.data;
  }
}

const meta = (path, size) => ({ path, size: BigInt(size), etag: path.endsWith('bare') ? undefined : 'tag ö', modifiedMs: 1_700_000_000_123n });

export function capabilities(record) {
  const note = (...what) => void record.push(what);
  const state = new Map();

  class Connection {
    static open(endpoint) {
      note('sql.open', endpoint);
      if (endpoint !== 'db') throw fail({ kind: 'denied', errno: 1045, sqlstate: '28000', message: 'not granted ö' });
      return new Connection();
    }
    dialect() { return 'tidb'; }
    serverVersion() { return '8.0.11-TiDB ö'; }
    maxStatementBytes() { return 4194304; }
    transact({ data, ends }) {
      note('sql.transact', Buffer.from(data).toString(), [...ends]);
      return { affected: 9007199254740991n, warnings: 3 };
    }
    execute(statement) {
      note('sql.execute', statement);
      const kinds = ['retryable', 'unknown', 'fenced', 'duplicate', 'refused', 'denied'];
      const kind = kinds.find((tag) => statement.endsWith(tag));
      if (kind) throw fail({ kind, errno: 1062, sqlstate: '23000', message: 'dup ö' });
      return { affected: 1n, warnings: 0 };
    }
    query(statement, maxRows) {
      note('sql.query', statement, maxRows);
      const row = [
        { tag: 'null' }, { tag: 'int', val: -7n }, { tag: 'uint', val: 9007199254740991n }, { tag: 'float', val: -0.5 },
        { tag: 'text', val: 'grüße' }, { tag: 'bytes', val: Uint8Array.of(0, 255) },
      ];
      return { columns: ['n', 'i', 'u', 'f', 't', 'b'], rows: [row, []] };
    }
  }

  class TopicProducer {
    static open(endpoint) {
      note('producer.open', endpoint);
      refuse(endpoint);
      return new TopicProducer();
    }
    partitions(topic) { note('producer.partitions', topic); refuse(topic); return 12; }
    maxMessageBytes(topic) { note('producer.maxMessageBytes', topic); refuse(topic); return 1048588; }
    send(messages) { note('producer.send', messages); }
    flush() { note('producer.flush'); }
  }

  class Upload {
    constructor(path) { this.path = path; this.size = 0; }
    write(data) { this.size += data.length; note('upload.write', data); }
    finish() { note('upload.finish', this.path); return meta(this.path, this.size); }
    abort() { note('upload.abort', this.path); }
  }
  class Bucket {
    static open(endpoint) { note('bucket.open', endpoint); refuse(endpoint); return new Bucket(); }
    put(path, data, mode) {
      note('bucket.put', path, data, mode);
      if (path.endsWith('conflict')) throw fail({ tag: 'conflict' });
      const tag = kindOf(path);
      if (tag) throw fail({ tag: 'other', val: failure(tag) });
      return meta(path, data.length);
    }
    get(path, offset, length) {
      note('bucket.get', path, offset, length);
      refuse(path);
      return path.endsWith('none') ? undefined : Uint8Array.of(1, 2, 3);
    }
    head(path) { note('bucket.head', path); refuse(path); return path.endsWith('none') ? undefined : meta(path, 3); }
    list(prefix, after, limit) { note('bucket.list', prefix, after, limit); return [meta('a', 1), meta('b-bare', 2)]; }
    delete(path) { note('bucket.delete', path); refuse(path); }
    upload(path) { note('bucket.upload', path); refuse(path); return new Upload(path); }
  }

  class Counter { constructor(name) { this.name = name; } add(n) { note('counter', this.name, n); } }
  class Gauge { constructor(name) { this.name = name; } set(v) { note('gauge', this.name, v); } }

  const http = {
    send(request) {
      note('http.send', request);
      const problem = { refused: 'refused', 'not-sent': 'not-sent', unknown: 'unknown' }[request.path.slice(1)];
      if (problem) throw fail({ tag: problem, val: `${problem} ö` });
      if (request.path === '/too-large') throw fail({ tag: 'too-large', val: 2n ** 40n });
      const status = Number(/^\/status\/(\d+)/.exec(request.path)?.[1] ?? 204);
      return { status, headers: [['x-a', 'ö']], body: Uint8Array.from(Buffer.from('fine ö')) };
    },
  };

  const faces = {
    log: { enabled: () => true, log: (level, message, fields) => note('log', level, message, fields) },
    metrics: { Counter, Gauge },
    session: { deadlineMs: () => 1234 },
    rows: { RowBatch },
    types: {},
    sql: { Connection },
    producer: { TopicProducer },
    'object-store': { Bucket, Upload },
    http,
    state: {
      get: (key) => state.get(key),
      set(key, value) {
        if (value.length > 65536) throw fail('too large ö');
        state.set(key, Uint8Array.from(value));
      },
      delete: (key) => void state.delete(key),
      keys: (prefix, limit) => [...state.keys()].filter((key) => key.startsWith(prefix)).sort().slice(0, limit),
    },
    secret: {
      get(name) {
        if (name !== 'granted') throw fail('not granted ö');
        return 'sécret';
      },
    },
    clock: { wallMs: () => 1_700_000_000_123n, monotonicNs: () => 2n ** 53n + 1n },
  };
  return Object.fromEntries(Object.entries(faces).map(([name, face]) => [`tidegate:plugin/${name}`, face]));
}
