// Makes a component of a core module: component.mjs CORE.wasm WIT WORLD OUT.wasm [ADAPTER.wat].
//
// WIT is the directory of the contract. An adapter stands in for WASI preview 1; it may import the contract's log.
// Needs @bytecodealliance/jco in the directory that TIDEGATE_JS_TOOLS names.
import { cp, mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , core, wit, world, out, adapter] = process.argv;
if (!out) {
  console.error('usage: component.mjs CORE.wasm WIT WORLD OUT.wasm [ADAPTER.wat]');
  process.exit(2);
}
const jco = join(process.env.TIDEGATE_JS_TOOLS ?? '.', 'node_modules/@bytecodealliance/jco/src/api.js');
const { componentEmbed, componentNew, parse } = await import(pathToFileURL(jco).href);

/** Version that the contract's text names. */
async function contractVersion() {
  for (const file of await readdir(wit)) {
    const found = /^package tidegate:plugin@(.+);/m.exec(file.endsWith('.wit') ? await readFile(join(wit, file), 'utf8') : '');
    if (found) return found[1];
  }
  throw new Error(`${wit} holds no package tidegate:plugin`);
}

/** The adapter with the type of what it imports. */
async function adapted(path) {
  const root = await mkdtemp(join(tmpdir(), 'tidegate-wit-'));
  try {
    const deps = join(root, 'deps', 'plugin');
    await mkdir(deps, { recursive: true });
    for (const file of await readdir(wit)) if (file.endsWith('.wit')) await cp(join(wit, file), join(deps, file));
    const text = `package tidegate:adapter;\nworld adapter { import tidegate:plugin/log@${await contractVersion()}; }\n`;
    await writeFile(join(root, 'adapter.wit'), text);
    return await componentEmbed({ binary: await parse(await readFile(path, 'utf8')), witPath: root, world: 'adapter' });
  } finally {
    await rm(root, { recursive: true });
  }
}

const module = await componentEmbed({ binary: await readFile(core), witPath: resolve(wit), world });
const adapters = adapter ? [['wasi_snapshot_preview1', await adapted(adapter)]] : [];
await writeFile(out, await componentNew(module, adapters));
