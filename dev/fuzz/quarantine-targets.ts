import { QuarantineError } from '../../src/quarantine/errors.ts';
import { means, readTarget } from '../../src/quarantine/target.ts';
import { entryFromDenial } from '../../src/trust/from-denial.ts';
import { mutateLines } from './mutate-lines.ts';
import { checkResult, type Target } from './target.ts';

const HELD = { purl: 'pkg:npm/%40scope/x@1.2.3', name: '@scope/x', version: '1.2.3' };

function readLine(line: string): void {
  // A package URL, and behind a space the range of its versions.
  const [text = '', ...range] = line.split(' ');
  try {
    const target = readTarget(text, range.length === 0 ? undefined : range.join(' '));
    if (target.kind === 'package') means(target, HELD);
  } catch (error) {
    if (!(error instanceof QuarantineError)) throw error;
  }
}

/** What people type: targets of a quarantine, one a line, and messages of denials. */
export const quarantineTargets: readonly Target[] = [
  {
    name: 'quarantine-targets',
    samples: async () =>
      [
        `sha256:${'a'.repeat(64)}\nfront/app:1@sha256:${'b'.repeat(64)}\npkg:npm/event-stream@3.3.6\n`,
        'pkg:npm/%40scope/x >= 1.0, < 1.3 || = 2.0\npkg:deb/debian/xz-utils?arch=source >= 5.6.0, < 5.6.2\n',
        'pkg:maven/org.apache.logging.log4j/log4j-core < 2.17.1\npkg:golang/github.com/x/y < v1.2.3\n',
      ].map((text, at) => ({ path: `${at}.txt`, bytes: Buffer.from(text) })),
    mutate: mutateLines,
    run: ({ bytes }) => {
      for (const line of bytes.toString('utf8').split('\n')) readLine(line);
    },
  },
  {
    name: 'denials',
    samples: async () =>
      [
        '[denied by require-harbor-repo] container "web" has an invalid image repo "quay.io/acme/web:1", allowed repos are ["a"]\n',
        'The container named <web> does not have an allowed image registry <ghcr.io/acme/web>, allowed registries are <["a"]>.\n',
      ].map((text, at) => ({ path: `${at}.txt`, bytes: Buffer.from(text) })),
    mutate: mutateLines,
    run: ({ bytes }) => checkResult(entryFromDenial(bytes.toString('utf8')) ?? '', bytes),
  },
];
