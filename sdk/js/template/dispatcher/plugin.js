/** {{name}}: sends rows of one key to one lane, so that their order is kept. */

import { Dispatcher, exportDispatcher, keyColumns, tgr1 } from 'tidegate';

class Plugin extends Dispatcher {
  lanes = 1n;

  open(context) {
    this.lanes = BigInt(Math.max(context.lanes, 1));
  }

  onSchema(table) {
    // Only the key crosses; a change of the key comes as a delete and an insert, which may go to different lanes.
    return { columns: keyColumns(table), splitKeyUpdates: true };
  }

  dispatch(rows, to) {
    for (let i = 0; i < rows.length; i += 1) {
      to.lanes[i] = Number(hash(rows.batch.row(i).current) % this.lanes);
    }
  }
}

/** Mixes the key's values. The same for ever: nothing random, nothing of the process. */
function hash(image) {
  let mixed = 0n;
  for (let col = 0; col < image.length; col += 1) {
    const bytes = image.batch.columns[col].slot === tgr1.Slot.Bytes ? image.bytes(col) : null;
    if (bytes) {
      let text = 0;
      for (const byte of bytes) text = (Math.imul(text, 31) + byte) >>> 0;
      mixed = mixed * 31n + BigInt(text);
    } else if (image.batch.columns[col].slot !== tgr1.Slot.Bytes) {
      mixed = mixed * 31n + (image.uint(col) ?? 0n);
    }
    mixed = BigInt.asUintN(64, mixed);
  }
  return mixed;
}

export const { describe, dispatcher } = exportDispatcher({ name: '{{name}}', version: '0.1.0' }, () => new Plugin());
