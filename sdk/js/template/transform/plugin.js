/** {{name}}: puts stars in place of the texts of some columns. */

import { ABSENT, Transform, encodeUtf8, exportTransform, keyColumns, settings, tgr1 } from 'tidegate';

const STARS = encodeUtf8('***');

class Plugin extends Transform {
  config = { columns: [] };

  open(context) {
    this.config = settings(context, this.config);
  }

  /** Whether each column shows stars. Keys keep their values: rows that differ must stay different. */
  hidden(table) {
    const key = keyColumns(table);
    return table.columns.map(({ logical, name }, i) => logical === tgr1.Logical.Text && this.config.columns.includes(name) && !key.includes(i));
  }

  onSchema(table) {
    // Tables without such columns are left alone. The columns stay what they are, so there is no other output to name.
    return { active: this.hidden(table).includes(true) };
  }

  transform(rows, out) {
    const hidden = this.hidden(rows.table);
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows.row(i);
      out.row(i, row, masked(row.raw.after, hidden), masked(row.raw.before, hidden));
    }
  }
}

function masked(image, hidden) {
  return image && hidden.map((hide, col) => {
    if (image.isAbsent(col)) return ABSENT;
    return hide && !image.isNull(col) ? STARS : image.value(col);
  });
}

const configSchema = {
  type: 'object',
  properties: { columns: { type: 'array', items: { type: 'string' } } },
  additionalProperties: false,
};
export const { describe, transform } = exportTransform({ name: '{{name}}', version: '0.1.0', configSchema }, () => new Plugin());
