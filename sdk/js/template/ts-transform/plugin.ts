/** {{name}}: puts stars in place of the texts of some columns. */

import {
  ABSENT, type Context, type Output, type Rows, type Table, Transform, type TransformPlan, encodeUtf8, exportTransform, keyColumns, settings, tgr1,
} from 'tidegate';

const STARS = encodeUtf8('***');

class Plugin extends Transform {
  private config = { columns: [] as string[] };

  override open(context: Context): void {
    this.config = settings(context, this.config);
  }

  /** Whether each column shows stars. Keys keep their values: rows that differ must stay different. */
  private hidden(table: Table): boolean[] {
    const key = keyColumns(table);
    return table.columns.map(({ logical, name }, i) => logical === tgr1.Logical.Text && this.config.columns.includes(name) && !key.includes(i));
  }

  override onSchema(table: Table): TransformPlan {
    // Tables without such columns are left alone. The columns stay what they are, so there is no other output to name.
    return { active: this.hidden(table).includes(true) };
  }

  override transform(rows: Rows, out: Output): void {
    const hidden = this.hidden(rows.table);
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows.row(i);
      out.row(i, row, masked(row.raw.after, hidden), masked(row.raw.before, hidden));
    }
  }
}

function masked(image: tgr1.Image | null, hidden: boolean[]) {
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
