import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** The layers of ARCHITECTURE.md: a folder may import itself and what stands in an earlier row. */
const LAYERS: readonly (readonly string[])[] = [
  ['platform'],
  ['oci'],
  ['model'],
  ['folders', 'blobs', 'db', 'kubernetes'],
  ['policy', 'scanner/versions', 'trust/match'],
  ['constraints'],
  ['scanner/matcher'],
  [
    'config',
    'auth',
    'projects',
    'jobs',
    'ledger',
    'notify',
    'exceptions',
    'cluster',
    'scanner',
    'trust',
    'usage',
    'findings',
  ],
  ['registry', 'mirror', 'verdicts', 'gc', 'retention', 'facts', 'quarantine', 'vex'],
  ['apart'],
  ['simulate', 'advice'],
  ['api', 'compat', 'admission', 'evidence', 'importer', 'backup'],
  ['audit'],
  ['guard', 'gator', 'preflight'],
  ['cli'],
  ['app'],
  ['main'],
];
/** Decisions and orderings: no input, output or clock; they see values only, not even the database layer. */
const PURE = new Set(['policy', 'scanner/versions', 'scanner/matcher', 'trust/match', 'constraints']);
const VALUES = new Set(['platform', 'oci', 'model', 'scanner/versions', 'trust/match']);
/** Neighbours that everybody in their row may use: who is asking, the ledger of what was done, what is told, what is counted and listed. */
const SHARED = new Set(['auth', 'ledger', 'notify', 'registry', 'usage', 'findings']);

interface Module {
  readonly path: string;
  readonly room: string;
  readonly source: string;
  readonly imports: readonly string[];
}

const modules = readModules(SRC);

describe('architecture', () => {
  it('saw the modules', () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(
      modules.every(
        (module) => isTest(module.path) || layerOf(module.room) >= 0 || fail(`${module.path} stands in no layer`),
      ),
    ).toBe(true);
  });

  it.each(modules.filter((module) => !isTest(module.path)))('$path imports upwards only', (module) => {
    for (const target of localImports(module)) {
      const room = roomOf(target);
      if (room === module.room) continue;
      const [from, to] = [layerOf(module.room), layerOf(room)];
      const allowed = PURE.has(module.room)
        ? VALUES.has(room)
        : to < from || (to === from && SHARED.has(room)) || isPartOf(room, module.room);
      expect(allowed, `${module.path} (${module.room}) must not import ${target} (${room})`).toBe(true);
    }
  });

  it('pure folders do no input or output and read no clock', () => {
    const offenders = modules.filter(
      (module) =>
        PURE.has(module.room) &&
        !isTest(module.path) &&
        module.imports.some((name) => name.startsWith('node:') && name !== 'node:crypto'),
    );
    expect(offenders.map((module) => module.path)).toEqual([]);
  });

  it('only the readers of settings read the environment', () =>
    expectOnly(/\bprocess\.env\b/, (path) => path === 'config.ts' || path === 'folders.ts'));

  it('only platform/clock.ts reads the time', () =>
    expectOnly(/\bDate\.now\(|\bnew Date\(\)/, (path) => path === 'platform/clock.ts'));

  it('only db/ imports database drivers and dialects', () => {
    const offenders = modules.filter(
      (module) =>
        module.room !== 'db' &&
        // The advisory database, and what changed in its feeds, are SQLite files by definition, whatever engine holds the rest.
        !module.path.startsWith('scanner/advisories/') &&
        module.path !== 'scanner/feeds/osv/changes.ts' &&
        // Tests of a reader of foreign SQLite files take them from SQLite itself.
        !(isTest(module.path) && module.path.startsWith('scanner/catalogers/')) &&
        module.imports.some((name) => name === 'pg' || name === 'node:sqlite'),
    );
    expect(offenders.map((module) => module.path)).toEqual([]);
  });
});

function expectOnly(pattern: RegExp, allowed: (path: string) => boolean): void {
  const offenders = modules.filter(
    (module) => !isTest(module.path) && !allowed(module.path) && pattern.test(module.source),
  );
  expect(offenders.map((module) => module.path)).toEqual([]);
}

function readModules(root: string): Module[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('testdata'))
    .sort()
    .map((name) => {
      const path = name.replaceAll('\\', '/');
      const source = readFileSync(join(root, name), 'utf8');
      const { module } = parseSync(name, source);
      const imports = [
        ...module.staticImports.map((entry) => entry.moduleRequest.value),
        ...module.staticExports.flatMap((entry) => entry.entries.flatMap((item) => item.moduleRequest?.value ?? [])),
        ...module.dynamicImports.flatMap((entry) =>
          source.slice(entry.moduleRequest.start, entry.moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
        ),
      ];
      return { path, room: roomOf(path), source, imports };
    });
}

function localImports(module: Module): string[] {
  return module.imports
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(SRC, resolve(SRC, dirname(module.path), name)).replaceAll('\\', '/'));
}

/** The folder a module belongs to: the longest one named in the layers. */
function roomOf(path: string): string {
  const parts = path.replace(/\.ts$/, '').split('/');
  const two = parts.slice(0, 2).join('/');
  return layerOf(two) >= 0 ? two : (parts[0] ?? '');
}

function layerOf(room: string): number {
  return LAYERS.findIndex((row) => row.includes(room));
}

function isPartOf(room: string, whole: string): boolean {
  return room.startsWith(`${whole}/`) || whole.startsWith(`${room}/`);
}

function isTest(path: string): boolean {
  return /\.(test|itest)\.ts$/.test(path) || path.endsWith('testing.ts') || path.endsWith('conformance.ts');
}

function fail(message: string): never {
  throw new Error(message);
}
