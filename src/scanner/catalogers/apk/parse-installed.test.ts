import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstalled } from './parse-installed.ts';

const parse = (text: string) => parseInstalled(Buffer.from(text));

describe('parseInstalled', () => {
  it('reads packages with their origin, architecture and licence, and the language packages they own', () => {
    const text =
      'C:Q1abc=\nP:npm\nV:10.9.1-r0\nA:x86_64\no:npm-src\nL:Artistic-2.0\nF:usr/lib/node_modules/npm\nR:package.json\nF:usr/bin\nR:npm\n\nP:musl\nV:1.2.5-r0\no:musl\n';
    expect(parse(text)).toEqual({
      packages: [
        {
          type: 'apk',
          name: 'npm',
          version: '10.9.1-r0',
          arch: 'x86_64',
          source: { name: 'npm-src', version: '10.9.1-r0' },
          licence: 'Artistic-2.0',
        },
        { type: 'apk', name: 'musl', version: '1.2.5-r0' },
      ],
      owned: ['usr/lib/node_modules/npm/package.json', 'usr/bin/npm'],
      problems: [],
    });
  });

  it('keeps the rest when an entry is malformed, and says where', () => {
    const { packages, problems } = parse(
      'nonsense\n\nP:a\n\nV:1\n\nP:b c\nV:1\n\nP:d\nV:2\ngarbage\n\n\n\nP:e\r\nV:3\r\n\r\n',
    );
    expect(packages.map(({ name, version }) => [name, version])).toEqual([
      ['d', '2'],
      ['e', '3'],
    ]);
    expect(problems).toEqual([
      'line 1: it is no field of a package',
      'line 3: a package without version',
      'line 5: a package without name',
      'line 7: a package without name',
      'line 12: it is no field of a package',
    ]);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.constantFrom('P:a\n', 'V:1\n', '\n', 'F:x\n', 'R:y\n', ':', 'P:')),
        (noise, lines) => {
          for (const pkg of parseInstalled(Buffer.concat([Buffer.from(lines.join('')), noise])).packages)
            expect(`${pkg.name} ${pkg.version}`).toMatch(/^\S+ \S+$/);
        },
      ),
    );
  });
});
