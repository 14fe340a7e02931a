// Drives a component across its border without any of our hosts: border.mjs X.wasm SCENARIOS.json OUT.json.
//
// jco makes JavaScript of the component and checks every value that crosses against the canonical ABI, so this is a second opinion
// beside the real host. Each scenario is a list of calls to an instance of its own; capabilities are kept in memory and write down what they
// were asked.
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , wasm, scenarioFile, outFile] = process.argv;
const tools = join(process.env.TIDEGATE_JS_TOOLS ?? '.', 'node_modules/@bytecodealliance/jco/src/api.js');
const { transpile } = await import(pathToFileURL(tools).href);
const { capabilities, RowBatch } = await import('./capabilities.mjs');

const { files } = await transpile(await readFile(wasm), { name: 'plugin', instantiation: 'async', noTypescript: true });
const bytesOf = Array.isArray(files) ? Object.fromEntries(files) : files;
const folder = await mkdtemp(join(tmpdir(), 'tidegate-border-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
await writeFile(join(folder, 'plugin.mjs'), bytesOf['plugin.js']);
const { instantiate } = await import(pathToFileURL(join(folder, 'plugin.mjs')).href);
// A trap is thrown where it happens, and is reported there; a promise that hears of it too has no more to say.
process.on('unhandledRejection', () => undefined);

const modules = new Map();
const compiled = (name) => {
  if (!modules.has(name)) modules.set(name, WebAssembly.compile(bytesOf[name]));
  return modules.get(name);
};

/** Numbers of 64 bits are written {"n": "digits"}, bytes {"hex": "…"}. */
function read(value) {
  if (Array.isArray(value)) return value.map(read);
  if (value === null || typeof value !== 'object') return value === null ? undefined : value;
  if ('n' in value) return BigInt(value.n);
  if ('hex' in value) return Uint8Array.from(Buffer.from(value.hex, 'hex'));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner)]));
}

function write(value) {
  if (typeof value === 'bigint') return { n: String(value) };
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (ArrayBuffer.isView(value)) return Array.from(value, write);
  if (Array.isArray(value)) return value.map(write);
  if (value === undefined) return null;
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, write(inner)]));
  }
  return value;
}

function call(plugin, record, { interface: face, function: name, args = [], batch, times = 1 }) {
  const values = read(args);
  if (batch) values.unshift(new RowBatch(read(batch), record));
  let answer;
  for (let i = 0; i < times; i += 1) {
    record.length = 0;
    try {
      answer = { ok: write(plugin[face][name](...values)) };
    } catch (fault) {
      answer = fault.payload === undefined ? { trap: String(fault.stack ?? fault) } : { err: write(fault.payload) };
    }
    if (answer.trap) break;
  }
  return { function: name, ...answer, asked: write([...record]) };
}

async function run(calls) {
  const record = [];
  const plugin = await instantiate(compiled, capabilities(record));
  return calls.map((one) => call(plugin, record, one));
}

const answers = [];
for (const calls of JSON.parse(await readFile(scenarioFile, 'utf8'))) answers.push(await run(calls));
await writeFile(outFile, JSON.stringify(answers, null, 1));
