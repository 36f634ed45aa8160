import { entriesIn, FORMATS } from '../../src/cli/exceptions/read-file.ts';
import { CliError } from '../../src/cli/exit.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateLines } from './mutate-lines.ts';
import { checkResult, type Target } from './target.ts';

function readAll(bytes: Buffer): void {
  for (const format of FORMATS) {
    try {
      checkResult(entriesIn(bytes.toString('utf8'), 'case', format), bytes);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
    }
  }
}

/** Files of exceptions, as other programs and people write them. */
export const exceptionTargets: readonly Target[] = [
  {
    name: 'exceptions-json',
    samples: async () =>
      [
        '{"expires_at":1830297599,"items":[{"cve_id":"CVE-2019-1"},{"cve_id":"CVE-2019-2"}]}',
        '{"vulnerabilities":[{"id":"CVE-2023-2650","purls":["pkg:deb/debian/libssl3@3.0.8-1"],"expired_at":"2027-01-31"}]}',
        '{"exceptions":[{"vulnerability":"CVE-2024-1","kind":"until-fixed","fixDays":3,"until":"2027-01-31"}]}',
      ].map((text, at) => ({ path: `${at}.json`, bytes: Buffer.from(text) })),
    mutate: mutateJson,
    run: ({ bytes }) => readAll(bytes),
  },
  {
    name: 'exceptions-text',
    samples: async () =>
      [
        '# accepted\nCVE-2018-14618 exp:2027-01-31 # proxy\nGHSA-xxxx-yyyy-zzzz\n',
        'vulnerabilities:\n  - id: CVE-2023-2650\n    purls: ["pkg:npm/a@1"]\n    statement: |\n      two\n      lines\n',
        'exceptions:\n  - vulnerability: CVE-2024-1\n    until: 2027-01-31\n  - &a {rule: end-of-life}\n',
      ].map((text, at) => ({ path: `${at}.yaml`, bytes: Buffer.from(text) })),
    mutate: mutateLines,
    run: ({ bytes }) => readAll(bytes),
  },
];
