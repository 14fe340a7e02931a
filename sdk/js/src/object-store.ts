/** Object stores: S3 and its like, GCS, Azure, a folder. */

import * as raw from 'tidegate:plugin/object-store@1.0.0';
import { asking, liftFailure, liftU64, lowerU64, maybeBytes } from './border';

/** A conditional put found another object, or none. */
export class Conflict extends Error {}

export interface Meta { path: string; size: bigint; etag: string | undefined; modifiedMs: bigint }

const asked = <T>(call: () => T): T => asking(call, liftFailure);
const meta = (m: raw.ObjectMeta): Meta => ({ path: m.path, size: liftU64(m.size), etag: m.etag ?? undefined, modifiedMs: liftU64(m.modifiedMs) });

/** An endpoint the host keeps. Paths are relative to the endpoint's prefix. What fails throws a `Failure`. */
export class Bucket {
  private readonly raw: raw.Bucket;

  /** `endpoint` is one of the context's. */
  constructor(endpoint: string) {
    this.raw = asked(() => raw.Bucket.open(endpoint));
  }

  /** Writes an object. With `create` only where nothing is, with `ifMatch` only over that version: else `Conflict`. */
  put(path: string, data: Uint8Array, { create = false, ifMatch }: { create?: boolean; ifMatch?: string } = {}): Meta {
    const mode: raw.PutMode = create ? { tag: 'create' } : ifMatch === undefined ? { tag: 'overwrite' } : { tag: 'if-match', val: ifMatch };
    return meta(asking(() => this.raw.put(path, data, mode), (error) =>
      error.tag === 'conflict' ? new Conflict('the object is not as the condition says') : liftFailure(error.val)));
  }

  /** Reads an object; length 0: to the end. Undefined: no such object. */
  get(path: string, offset = 0n, length = 0n): Uint8Array | undefined {
    return maybeBytes(asked(() => this.raw.get(path, lowerU64(offset), lowerU64(length))));
  }

  /** Describes an object. Undefined: no such object. */
  head(path: string): Meta | undefined {
    const found = asked(() => this.raw.head(path));
    return found ? meta(found) : undefined;
  }

  /** In order of path, those after `after`. */
  list(prefix = '', after = '', limit = 1000): Meta[] {
    return asked(() => this.raw.list(prefix, after, limit)).map(meta);
  }

  /** No object is no error. */
  delete(path: string): void { asked(() => this.raw.delete(path)); }

  /** An object written in parts, which appears whole when it is finished. */
  upload(path: string): Upload { return new Upload(asked(() => this.raw.upload(path))); }
}

/** An object in the making. */
export class Upload {
  constructor(private readonly raw: raw.Upload) {}
  /** Parts go out while the plugin makes the next one. */
  write(data: Uint8Array): void { asked(() => this.raw.write(data)); }
  /** Makes the object appear. */
  finish(): Meta { return meta(asked(() => this.raw.finish())); }
  /** Gives the object up. */
  abort(): void { this.raw.abort(); }
}
