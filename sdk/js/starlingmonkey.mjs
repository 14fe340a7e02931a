// Makes a component with the engine StarlingMonkey: starlingmonkey.mjs TOOLS PLUGIN.js WIT WORLD OUT.wasm. Nothing of WASI is kept.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , tools, plugin, witPath, worldName, out] = process.argv;
const module = join(tools, 'node_modules/@bytecodealliance/componentize-js/src/componentize.js');
const { componentize } = await import(pathToFileURL(module).href);
const source = await readFile(plugin, 'utf8');
const disableFeatures = ['random', 'stdio', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize(source, { sourceName: 'plugin.js', witPath, worldName, disableFeatures });
await writeFile(out, component);
