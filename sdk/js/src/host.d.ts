/** What the host offers, as the engine shows it: 64-bit numbers are bigints in StarlingMonkey and numbers in QuickJS. */

type U64 = bigint | number;

declare module 'tidegate:plugin/log@1.0.0' {
  type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';
  export function enabled(level: Level): boolean;
  export function log(level: Level, message: string, fields: [string, string][]): void;
}
declare module 'tidegate:plugin/metrics@1.0.0' {
  export class Counter { constructor(name: string); add(n: U64): void }
  export class Gauge { constructor(name: string); set(v: number): void }
}
declare module 'tidegate:plugin/session@1.0.0' {
  export function deadlineMs(): number;
}
declare module 'tidegate:plugin/sql@1.0.0' {
  type Value =
    | { tag: 'null' } | { tag: 'int' | 'uint'; val: U64 } | { tag: 'float'; val: number } | { tag: 'text'; val: string }
    | { tag: 'bytes'; val: Uint8Array };
  export class Connection {
    static open(endpoint: string): Connection;
    dialect(): string;
    serverVersion(): string;
    maxStatementBytes(): number;
    transact(statements: { data: Uint8Array; ends: Uint32Array | number[] }): { affected: U64; warnings: number };
    execute(statement: string): { affected: U64; warnings: number };
    query(statement: string, maxRows: number): { columns: string[]; rows: Value[][] };
  }
}
declare module 'tidegate:plugin/producer@1.0.0' {
  interface Blocks { data: Uint8Array; ends: Uint32Array | number[] }
  export class TopicProducer {
    static open(endpoint: string): TopicProducer;
    partitions(topic: string): number;
    maxMessageBytes(topic: string): number;
    send(messages: {
      topicOf: number[]; topics: string[]; partitions: number[]; keys: Blocks; values: Blocks; headers: [string, Uint8Array][];
    }): void;
    flush(): void;
  }
}
declare module 'tidegate:plugin/object-store@1.0.0' {
  interface ObjectMeta { path: string; size: U64; etag: string | undefined; modifiedMs: U64 }
  type PutMode = { tag: 'overwrite' } | { tag: 'create' } | { tag: 'if-match'; val: string };
  export class Bucket {
    static open(endpoint: string): Bucket;
    put(path: string, data: Uint8Array, mode: PutMode): ObjectMeta;
    get(path: string, offset: U64, length: U64): Uint8Array | undefined;
    head(path: string): ObjectMeta | undefined;
    list(prefix: string, after: string, limit: number): ObjectMeta[];
    delete(path: string): void;
    upload(path: string): Upload;
  }
  export class Upload { write(data: Uint8Array): void; finish(): ObjectMeta; abort(): void }
}
declare module 'tidegate:plugin/http@1.0.0' {
  type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
  export function send(request: {
    endpoint: string; method: Method; path: string; headers: [string, string][]; body: Uint8Array; timeoutMs: number | undefined;
  }): { status: number; headers: [string, string][]; body: Uint8Array };
}
declare module 'tidegate:plugin/state@1.0.0' {
  export function get(key: string): Uint8Array | undefined;
  export function set(key: string, value: Uint8Array): void;
  function remove(key: string): void;
  export { remove as delete };
  export function keys(prefix: string, limit: number): string[];
}
declare module 'tidegate:plugin/secret@1.0.0' {
  export function get(name: string): string;
}
declare module 'tidegate:plugin/clock@1.0.0' {
  export function wallMs(): U64;
  export function monotonicNs(): U64;
}
