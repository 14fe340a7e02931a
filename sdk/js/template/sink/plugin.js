/** {{name}}: sends each changed row as one line of JSON to an HTTP endpoint. */

import { ByteBuffer, JsonObjects, Sink, exportSink, settings } from 'tidegate';
import * as http from 'tidegate/http';

class Plugin extends Sink {
  config = { path: '/rows', endpoint: '' };
  /** Lines since the last flush. */
  lines = new ByteBuffer();

  open(context) {
    // Without a name in the configuration: the first endpoint that is granted.
    this.config = settings(context, { ...this.config, endpoint: context.endpoints[0] ?? '' });
  }

  write(rows) {
    const before = this.lines.length;
    try {
      this.add(rows);
    } catch (error) {
      // A batch that fails comes again as a whole, so none of it may stay.
      this.lines.cut(before);
      throw error;
    }
  }

  add(rows) {
    const objects = new JsonObjects(rows);
    const table = JSON.stringify(`${rows.table.database}.${rows.table.name}`);
    for (const row of rows) {
      this.lines.text(`{"table":${table},"op":"${row.op}","row":`);
      objects.write(this.lines, row.current);
      this.lines.text('}\n');
    }
  }

  /** Answers when everything that was written is durable; nothing else moves the changefeed's checkpoint. */
  flush(_barrier) {
    if (this.lines.length === 0) return;
    const { endpoint, path } = this.config;
    const headers = [['content-type', 'application/x-ndjson']];
    http.check(http.send({ endpoint, method: 'post', path, headers, body: this.lines.view() }));
    this.lines.cut(0);
  }

  /** Lets the host flush early. */
  buffered() {
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
