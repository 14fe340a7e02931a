/** A Tidegate sink that posts rows as lines of JSON to an HTTP receiver. */

import { type Barrier, ByteBuffer, type Context, JsonObjects, type Rows, Sink, exportSink, settings } from 'tidegate';
import * as http from 'tidegate/http';

const configSchema = {
  type: 'object',
  properties: {
    endpoint: { type: 'string', description: 'name of a granted HTTP endpoint' },
    path: { type: 'string', description: 'where to post to' },
    'batch-bytes': { type: 'integer', minimum: 1, description: 'post when this much is held' },
  },
  additionalProperties: false,
};

class JsonLines extends Sink {
  private config = { endpoint: 'downstream', path: '/', 'batch-bytes': 256 << 10 };
  /** What was not posted yet. */
  private readonly held = new ByteBuffer();

  override open(context: Context): void {
    this.config = settings(context, this.config);
  }

  override write(rows: Rows): void {
    const before = this.held.length;
    try {
      this.add(rows);
      if (this.held.length >= this.config['batch-bytes']) this.post();
    } catch (error) {
      // A batch that fails as a whole comes again.
      this.held.cut(before);
      throw error;
    }
  }

  private add(rows: Rows): void {
    const { held } = this;
    const objects = new JsonObjects(rows);
    const name = JSON.stringify(`${rows.table.database}.${rows.table.name}`);
    for (const row of rows) {
      held.text(`{"table":${name},"op":"${row.op}","commit_ts":"${row.commitTs}"`);
      const { after, before } = row;
      if (after) {
        held.text(',"data":');
        objects.write(held, after);
      }
      if (before) {
        held.text(',"old":');
        objects.write(held, before);
      }
      held.text('}\n');
    }
  }

  override flush(_barrier: Barrier): void {
    if (this.held.length > 0) this.post();
  }

  override buffered(): number {
    return this.held.length;
  }

  private post(): void {
    const { endpoint, path } = this.config;
    const headers: [string, string][] = [['Content-Type', 'application/x-ndjson']];
    http.check(http.send({ endpoint, method: 'post', path, headers, body: this.held.view() }));
    this.held.cut(0);
  }
}

const capabilities = [{ name: 'http', reason: 'posts the rows' }];
export const { describe, sink } = exportSink({ name: 'jsonlines-js', version: '1.0.0', configSchema, capabilities }, () => new JsonLines());
