import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CliError } from '../exit.ts';
import { entriesIn } from './read-file.ts';
import { completed } from './wanted.ts';

const read = (text: string, name = 'file', format?: Parameters<typeof entriesIn>[2]) => entriesIn(text, name, format);

describe('files of exceptions', () => {
  it('takes an allow-list as Harbor gives it, alone or in a project', () => {
    const list = {
      id: 1,
      project_id: 2,
      expires_at: 1_830_297_599,
      items: [{ cve_id: 'CVE-2019-1' }, { cve_id: 'CVE-2019-2' }],
    };
    const entries = [
      { vulnerability: 'CVE-2019-1', until: '2027-12-31T23:59:59Z' },
      { vulnerability: 'CVE-2019-2', until: '2027-12-31T23:59:59Z' },
    ];
    expect(read(JSON.stringify(list))).toEqual({ entries, left: [] });
    expect(read(JSON.stringify({ name: 'front', cve_allowlist: list }))).toEqual({ entries, left: [] });
  });

  it.each([null, 0, undefined])('takes "expires_at": %s as no end, which somebody has to say', (expires_at) => {
    const { entries } = read(JSON.stringify({ expires_at, items: [{ cve_id: 'CVE-2019-1' }] }));
    expect(entries).toEqual([{ vulnerability: 'CVE-2019-1' }]);
    expect(() => completed(entries, { reason: 'r' })).toThrow('CVE-2019-1 has no until');
    expect(completed(entries, { reason: 'r', until: '2027-01-31T23:59:59Z', owner: 'team' })).toEqual([
      { vulnerability: 'CVE-2019-1', reason: 'r', until: '2027-01-31T23:59:59Z', owner: 'team' },
    ]);
  });

  it('takes a .trivyignore, and says what in it is no vulnerability', () => {
    const text =
      '# accepted\nCVE-2018-14618 exp:2027-01-31 # proxy is off\nGHSA-xxxx-yyyy-zzzz\n\nAVD-DS-0002\ngeneric-unwanted-rule\n';
    expect(read(text, '/src/.trivyignore')).toEqual({
      entries: [
        { vulnerability: 'CVE-2018-14618', until: '2027-01-31T23:59:59Z', reason: 'proxy is off' },
        { vulnerability: 'GHSA-xxxx-yyyy-zzzz' },
      ],
      left: ['line 5: AVD-DS-0002 is no vulnerability', 'line 6: generic-unwanted-rule is no vulnerability'],
    });
  });

  it('knows the lines of a .trivyignore by what is in them, whatever the file is called', () => {
    const text = '# accepted\nCVE-2018-14618 exp:2027-01-31 # proxy: off\n\nAVD-DS-0002\n';
    expect(read(text, 'accepted.txt')).toEqual({
      entries: [{ vulnerability: 'CVE-2018-14618', until: '2027-01-31T23:59:59Z', reason: 'proxy: off' }],
      left: ['line 4: AVD-DS-0002 is no vulnerability'],
    });
    expect(read('CVE-2018-14618', 'accepted.txt').entries).toEqual([{ vulnerability: 'CVE-2018-14618' }]);
    expect(() => read('what: [', 'accepted.txt')).toThrow('--format (requests, harbor, trivyignore, trivyignore-yaml)');
  });

  it('takes a .trivyignore.yaml: packages by their URLs; what is limited to files is left', () => {
    const text = `
vulnerabilities:
  - id: CVE-2022-40897
    paths: [usr/local/lib/python3.9]
  - id: CVE-2023-2650
    purls: ["pkg:deb/debian/libssl3@3.0.8-1", "pkg:npm/%40scope/name"]
    expired_at: 2027-01-31
    statement: TLS is not used
misconfigurations:
  - id: AVD-DS-0001
`;
    const said = { vulnerability: 'CVE-2023-2650', until: '2027-01-31T23:59:59.000Z', reason: 'TLS is not used' };
    expect(read(text)).toEqual({
      entries: [
        { ...said, package: 'libssl3', packageType: 'deb', version: '3.0.8-1' },
        { ...said, package: '@scope/name', packageType: 'npm' },
      ],
      left: ['all misconfigurations', 'CVE-2022-40897: it is limited to files, which an exception cannot be'],
    });
  });

  it('takes requests that were written down, with what they do not say from the command line', () => {
    const { entries } = read(
      'exceptions:\n  - vulnerability: CVE-2024-1\n    until: 2027-01-31\n  - {rule: end-of-life, digest: "sha256:1", owner: ops}\n',
    );
    expect(completed(entries, { reason: 'r', until: '2027-06-30T23:59:59Z', owner: 'team' })).toEqual([
      { vulnerability: 'CVE-2024-1', until: '2027-01-31T23:59:59.000Z', reason: 'r', owner: 'team' },
      { rule: 'end-of-life', digest: 'sha256:1', until: '2027-06-30T23:59:59Z', reason: 'r', owner: 'ops' },
    ]);
  });

  it.each<[string, string, RegExp]>([
    ['no YAML', 'a: [', /neither YAML nor JSON/],
    ['another document', '{"a": 1}', /write a list of exceptions/],
    ['an unknown field', '[{vulnerabilty: CVE-1}]', /exception 1: .*vulnerabilty/],
    ['a day that is none', '[{vulnerability: CVE-1, until: 2027-02-30}]', /exception 1: "2027-02-30"/],
    ['a moment without a zone', '[{vulnerability: CVE-1, until: "2027-01-31T10:00:00"}]', /exception 1/],
    ['an end that is a number', '[{vulnerability: CVE-1, until: 20270131}]', /exception 1: write the end/],
    ['an item without an id', '{"items": [{"cve": "CVE-1"}]}', /item 1 has no cve_id/],
    ['an end that is no time', '{"expires_at": 1e300, "items": []}', /expires_at is no time/],
    ['aliases that multiply', 'a: &a [1,1]\nexceptions: [*a,*a]', /neither YAML nor JSON/],
    ['ten thousand levels', '['.repeat(10_000), /neither YAML nor JSON/],
    ['a package URL that is none', '{vulnerabilities: [{id: CVE-1, purls: [x]}]}', /no package URL/],
    ['a key of the prototype', '{"__proto__": [], "vulnerabilities": [{"id": 3}]}', /has no id/],
  ])('refuses %s and says where', (_name, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(CliError);
  });

  it('refuses what is wrong with its own error only, whatever the text', () => {
    const piece = fc.constantFrom(
      'items',
      'vulnerabilities',
      'exceptions',
      'id',
      'until',
      ':',
      '-',
      '[',
      '{',
      '}',
      ']',
      '"',
      '\n',
      '  ',
      'CVE-1',
      '&a',
      '*a',
      '9',
      'null',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 30 }).map((list) => list.join('')),
          fc.string(),
        ),
        (text) => {
          for (const format of [undefined, 'harbor', 'trivyignore', 'trivyignore-yaml', 'requests'] as const) {
            try {
              read(text, 'file', format);
            } catch (error) {
              expect(error).toBeInstanceOf(CliError);
            }
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
