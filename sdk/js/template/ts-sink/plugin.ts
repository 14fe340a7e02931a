/** {{name}}: sends each changed row as one line of JSON to an HTTP endpoint. */

import { type Barrier, ByteBuffer, type Context, JsonObjects, type Rows, Sink, exportSink, settings } from 'tidegate';
import * as http from 'tidegate/http';

class Plugin extends Sink {
  private config = { path: '/rows', endpoint: '' };
  /** Lines since the last flush. */
  private readonly lines = new ByteBuffer();

  override open(context: Context): void {
    // Without a name in the configuration: the first endpoint that is granted.
    this.config = settings(context, { ...this.config, endpoint: context.endpoints[0] ?? '' });
  }

  override write(rows: Rows): void {
    const before = this.lines.length;
    try {
      this.add(rows);
    } catch (error) {
      // A batch that fails comes again as a whole, so none of it may stay.
      this.lines.cut(before);
      throw error;
    }
  }

  private add(rows: Rows): void {
    const objects = new JsonObjects(rows);
    const table = JSON.stringify(`${rows.table.database}.${rows.table.name}`);
    for (const row of rows) {
      this.lines.text(`{"table":${table},"op":"${row.op}","row":`);
      objects.write(this.lines, row.current!);
      this.lines.text('}\n');
    }
  }

  /** Answers when everything that was written is durable; nothing else moves the changefeed's checkpoint. */
  override flush(_barrier: Barrier): void {
    if (this.lines.length === 0) return;
    const { endpoint, path } = this.config;
    const headers: [string, string][] = [['content-type', 'application/x-ndjson']];
    http.check(http.send({ endpoint, method: 'post', path, headers, body: this.lines.view() }));
    this.lines.cut(0);
  }

  /** Lets the host flush early. */
  override buffered(): number {
    return this.lines.length;
  }
}

const configSchema = {
  type: 'object',
  properties: { path: { type: 'string' }, endpoint: { type: 'string' } },
  additionalProperties: false,
};
const capabilities = [{ name: 'http', reason: 'rows are sent there' }];
export const { describe, sink } = exportSink({ name: '{{name}}', version: '0.1.0', configSchema, capabilities }, () => new Plugin());
