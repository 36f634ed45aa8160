import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeElf, makeMachO, makePe } from '../../executables/make-executable.testing.ts';
import { openExecutable } from '../../executables/open.ts';
import { viewOf } from '../../file-view.ts';
import { readAuditData } from './audit-data.ts';

const CRATES = {
  packages: [
    { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [1, 2] },
    { name: 'serde', version: '1.0.217', source: 'crates.io', kind: 'runtime' },
    { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
  ],
};

const sections = (content: Buffer, name = '.dep-v0') => [{ name, content }];
const packed = (value: unknown): Buffer => deflateSync(JSON.stringify(value));

function read(bytes: Buffer): ReturnType<typeof readAuditData> {
  const view = viewOf(bytes);
  const [executable] = openExecutable(view).executables;
  if (!executable) throw new Error('no program');
  return readAuditData(view, executable);
}

describe('readAuditData', () => {
  it.each([
    ['ELF', makeElf(sections(packed(CRATES)))],
    ['PE', makePe(sections(packed(CRATES)))],
    ['Mach-O', makeMachO(sections(packed(CRATES)))],
  ])('lists the crates of %s without those for building', (_what, bytes) => {
    expect(read(bytes)).toEqual({
      packages: [
        { type: 'cargo', name: 'app', version: '0.1.0' },
        { type: 'cargo', name: 'serde', version: '1.0.217' },
      ],
      problems: [],
    });
  });

  it('finds nothing in other programs', () => {
    expect(read(makeElf(sections(packed(CRATES), '.data')))).toBeUndefined();
  });

  it.each([
    ['no compression', Buffer.from(JSON.stringify(CRATES))],
    ['a bomb', deflateSync(Buffer.alloc(64 * 1024 * 1024))],
    ['no JSON', deflateSync('[')],
    ['no list', packed({ packages: {} })],
    ['null', packed(null)],
    ['too many', packed({ packages: Array.from({ length: 30_000 }, () => 0) })],
    ['cut off', packed(CRATES).subarray(0, 20)],
  ])('has a problem with %s', (_what, content) => {
    expect(read(makeElf(sections(content)))).toEqual({ packages: [], problems: [expect.any(String)] });
  });

  it('keeps the rest beside what is no crate', () => {
    const { packages, problems } =
      read(
        makeElf(
          sections(packed({ packages: [null, { name: 'a' }, { name: 'a b', version: '1' }, ...CRATES.packages] })),
        ),
      ) ?? {};
    expect([packages?.length, problems]).toEqual([2, ['3 of its crates have no name or version that can be one']]);
  });

  it('survives any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        read(makeElf(sections(deflateSync(`{"packages":[${json}]}`))));
        read(makeElf(sections(deflateSync(json))));
      }),
    );
  });
});
