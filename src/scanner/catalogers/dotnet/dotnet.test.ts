import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeps } from './parse-deps.ts';

const FILES = { runtime: { 'lib/a.dll': {} } };
const deps = (libraries: object, target: object = {}) =>
  Buffer.from(JSON.stringify({ targets: { '.NETCoreApp,Version=v8.0/linux-x64': target }, libraries }));
const named = (bytes: Buffer, path = 'app/app.deps.json') =>
  parseDeps(bytes, path).packages.map((pkg) => `${pkg.name} ${pkg.version}`);

describe('parseDeps', () => {
  it.each([
    ['packages', deps({ 'A/1.0': { type: 'package' }, 'App/1': { type: 'project' } }, { 'A/1.0': FILES }), ['A 1.0']],
    ['resources', deps({ 'A/1.0': { type: 'package' } }, { 'A/1.0': { resources: { 'a.dll': {} } } }), ['A 1.0']],
    [
      'packages that bring nothing',
      deps({ 'A/1.0': { type: 'package' } }, { 'A/1.0': { dependencies: { b: '1' } } }),
      [],
    ],
    ['packages without a target', deps({ 'A/1.0': { type: 'package' } }), ['A 1.0']],
    [
      'runtimes',
      deps({ 'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.0': { type: 'runtimepack' } }),
      ['Microsoft.NETCore.App.Runtime.linux-x64 8.0.0'],
    ],
    [
      'names that are none',
      deps({
        'A B/1': { type: 'package' },
        A: { type: 'package' },
        'A/': { type: 'package' },
        '/1': { type: 'package' },
      }),
      [],
    ],
    [
      'keys that mean something to JavaScript',
      Buffer.from('{"libraries":{"__proto__":{"type":"package"},"A/1":{"__proto__":{"type":"package"}}}}'),
      [],
    ],
    ['nothing', deps({}), []],
  ])('reads %s', (_what, bytes, packages) => {
    expect(named(bytes)).toEqual(packages);
  });

  const shared = 'usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json';
  const runtime = { 'Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { type: 'package' } };
  it.each([
    ['by its file', deps(runtime), ['Microsoft.NETCore.App.Runtime.linux-x64 8.0.1']],
    ['by its folder', deps({}), ['Microsoft.NETCore.App 8.0.1']],
    ['by its folder when the file is damaged', Buffer.from('{'), ['Microsoft.NETCore.App 8.0.1']],
  ])('knows a shared framework %s', (_what, bytes, packages) => {
    expect(named(bytes, shared)).toEqual(packages);
  });

  it('finds a problem in what is no JSON', () => {
    expect(parseDeps(Buffer.from('{'), 'a.deps.json')).toEqual({ packages: [], problems: [expect.any(String)] });
  });

  it('survives any JSON', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.json(),
        (a, b) => void parseDeps(Buffer.from(`{"libraries":${a},"targets":{"x":${b}}}`), 'a'),
      ),
    );
  });
});
