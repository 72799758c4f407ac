import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The rooms and what each may import: only rooms of lower rank, only through their door. */
const ROOMS: Record<string, readonly string[]> = {
  base: [],
  bson: ['base'],
  store: ['base'],
  geo: ['base', 'bson'],
  wire: ['base', 'bson'],
  text: ['base', 'bson'],
  query: ['base', 'bson', 'geo', 'text'],
  indexes: ['base', 'bson', 'geo', 'text'],
  log: ['base', 'bson', 'store'],
  discord: ['base', 'store'],
  emulator: ['base'],
  engine: ['base', 'bson', 'geo', 'text', 'query', 'indexes', 'log', 'store'],
  commands: ['base', 'bson', 'query', 'engine', 'store'],
  server: ['base', 'bson', 'wire', 'commands'],
  compose: ['base', 'store', 'wire', 'log', 'discord', 'emulator', 'engine', 'commands', 'server'],
  cli: ['base', 'bson', 'compose'],
  main: ['cli'],
};

/** Packages that only one place may know. */
const PACKAGES: Record<string, RegExp> = {
  bson: /^bson\//,
  undici: /^discord\//,
  bottleneck: /^discord\//,
  fastify: /^emulator\//,
  ws: /^(emulator|discord)\//,
  '@fastify/busboy': /^emulator\//,
  'oniguruma-parser': /^query\/regex\//,
  'oniguruma-to-es': /^query\/regex\//,
  'temporal-polyfill': /^query\/dates\/zone\.ts$/,
  'decimal.js': /^query\/decimal/,
  'sorted-btree': /^base\//,
  snappy: /^wire\//,
  '@hpcc-js/wasm-zstd': /^wire\//,
  pino: /^base\//,
  commander: /^cli\//,
  s2js: /^geo\//,
};

/** Time and chance come from `base/`, so that everything else can run in virtual time. */
const BANNED =
  /(?<![\w.])(Date\.now|new Date\(\)|setTimeout|setInterval|setImmediate|Math\.random|performance\.now|randomUUID|randomBytes|getRandomValues|nextTick)\b/;

const LINES_MAX = 400;
const TEST_LINES_MAX = 800;

const src = resolve('src');
const files = list(src).filter((file) => file.endsWith('.ts'));

describe('every file of src', () => {
  const all = files.map((file) => ({ name: relative(src, file), text: readFileSync(file, 'utf8') }));

  it('imports only what its room may, through the door', () => {
    const wrong = all.flatMap(({ name, text }) => importsOf(text).flatMap((target) => wrongImport(name, target) ?? []));
    expect(wrong).toEqual([]);
  });

  it('takes time and chance from base', () => {
    const wrong = all.filter(({ name, text }) => roomOf(name) !== 'base' && BANNED.test(withoutComments(text)));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('is short enough to read', () => {
    const long = all.filter(({ text }) => text.split('\n').length - 1 > LINES_MAX);
    expect(long.map(({ name }) => name)).toEqual([]);
  });
});

describe('src', () => {
  it('has no import cycles', () => {
    const graph = new Map(files.map((file) => [file, runtimeImports(file)]));
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open')
        throw new Error(`cycle: ${[...path, file].map((at) => relative(src, at)).join(' > ')}`);
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    expect(() => {
      for (const file of files) visit(file, []);
    }).not.toThrow();
  });

  it('has no file that nothing imports', () => {
    const used = new Set(
      files.flatMap((file) => importsOf(readFileSync(file, 'utf8')).map((to) => resolve(dirname(file), to))),
    );
    const dead = files.filter((file) => !used.has(file) && relative(src, file) !== 'main.ts');
    expect(dead.map((file) => relative(src, file))).toEqual([]);
  });
});

describe('every file of test', () => {
  const all = list(resolve('test')).filter((file) => file.endsWith('.ts'));

  it('is short enough to read, and runs whole', () => {
    const narrowed = /\b(it|test|describe)\.(only|todo)\b/;
    const wrong = all.filter((file) => {
      const text = readFileSync(file, 'utf8');
      return text.split('\n').length - 1 > TEST_LINES_MAX || narrowed.test(text);
    });
    expect(wrong.map((file) => relative(resolve('test'), file))).toEqual([]);
  });
});

/** What is wrong with an import, if anything. */
function wrongImport(name: string, target: string): string | undefined {
  if (target.startsWith('node:')) return undefined;
  if (!target.startsWith('.')) {
    const rule = PACKAGES[packageOf(target)];
    return rule?.test(name) ? undefined : `${name} imports ${target}`;
  }
  const path = relative(src, resolve(dirname(join(src, name)), target));
  const [from, to] = [roomOf(name), roomOf(path)];
  if (from === to) return undefined;
  if (!ROOMS[from]?.includes(to)) return `${name} imports ${path}`;
  return /^([a-z]+\/index|compose)\.ts$/.test(path) ? undefined : `${name} goes past the door of ${path}`;
}

function list(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? list(path) : [path];
  });
}

function roomOf(path: string): string {
  return path.split('/')[0]!.replace(/\.ts$/, '');
}

function importsOf(text: string): string[] {
  const statements = /^(?:import\b[^'";]*|export\s+(?:type\s+)?(?:\*|\{[^}]*\})[^'";]*from\s+)'([^']+)'/gm;
  return [...text.matchAll(statements)].map((match) => match[1]!);
}

/** Without type-only imports, which are gone when the program runs. */
function runtimeImports(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/(import|export) type [^;]*;/g, '');
  return importsOf(text)
    .filter((target) => target.startsWith('.'))
    .map((target) => resolve(dirname(file), target));
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
