import { describe, expect, it } from 'vitest';
import type { ExplainedImage } from '../api/contract/why.ts';
import { renderWhy } from './why-text.ts';

const explained: ExplainedImage = {
  image: 'front/app:1.0',
  repository: 'front/app',
  digest: 'sha256:00',
  kind: 'block',
  sentence: 'blocked: CVE-2024-1 in musl 1.0-r0 (fixed in 1.0-r1): high (nvd)',
  judgedAt: '2026-11-29T10:00:00Z',
  contact: { text: 'platform team', link: 'https://wiki.example.com/gate' },
  worst: [{ rule: 'severity-fixable', kind: 'block', severity: 'high', message: 'CVE-2024-1 in musl\r\nX: 1' }],
  counting: 3,
  policy: {
    version: 4,
    rules: [
      {
        field: 'block.fixable',
        value: 'high',
        origin: 'project',
        set: { version: 4, author: 'lead', reason: 'we are strict', at: '2026-11-01T09:00:00Z' },
      },
    ],
  },
  deadlines: [{ at: '2026-12-05T00:00:00Z', what: 'blocks', vulnerability: 'CVE-2024-9', package: 'zlib' }],
  exceptions: [],
  vex: [],
  images: [
    {
      digest: 'sha256:00',
      obstacles: [],
      plans: [
        {
          after: 'allow',
          requests: [
            'breakwater exception request front/app:1.0 CVE-2024-3 --package x --until 2026-12-20 --reason "…"',
          ],
          parts: [
            {
              kind: 'base',
              from: 'mirror/alpine:3.19',
              fromDigest: 'sha256:01',
              to: 'mirror/alpine:3.20',
              toDigest: 'sha256:02',
              layers: 1,
              vulnerabilities: ['CVE-2024-1'],
              judgedBy: 'layers',
            },
            {
              kind: 'upgrade',
              package: 'openssl',
              packageType: 'apk',
              installed: '1.0-r0',
              to: '1.0-r1',
              packages: ['libcrypto3', 'libssl3'],
              vulnerabilities: ['CVE-2024-2'],
              places: [{ path: 'lib/apk/db/installed', step: 'RUN apk add openssl\u001b[31m' }],
            },
            {
              kind: 'exception',
              vulnerability: 'CVE-2024-3',
              package: 'x',
              repository: 'app',
              until: '2026-12-20',
            },
          ],
        },
      ],
    },
  ],
};

describe('why, for people', () => {
  it('names who set the rules, the dates, whom to ask and what to do', () => {
    expect(renderWhy(explained)).toBe(`image    front/app:1.0
digest   sha256:00
verdict  blocked: CVE-2024-1 in musl 1.0-r0 (fixed in 1.0-r1): high (nvd)
judged   2026-11-29 10:00Z
ask      platform team
see      https://wiki.example.com/gate

What counts, worst first:
  block: CVE-2024-1 in musl X: 1
  … and 2 more; see: breakwater verdict

Rules:
  FIELD          VALUE  FROM     SET BY                              BECAUSE
  block.fixable  high   project  lead, version 4, 2026-11-01 09:00Z  we are strict

Dates:
  2026-12-05 00:00Z  CVE-2024-9 in zlib blocks from then on

The smallest change that unblocks it (3 changes, then allowed):
  build on mirror/alpine:3.20 instead of mirror/alpine:3.19 (1 layer): CVE-2024-1 gone; judged with the layers of this image on it
  upgrade openssl 1.0-r0 -> 1.0-r1 (apk); with libcrypto3, libssl3; ends CVE-2024-2; in lib/apk/db/installed, by RUN apk add openssl [31m
  breakwater exception request front/app:1.0 CVE-2024-3 --package x --until 2026-12-20 --reason "…"`);
  });

  it('says so when nothing unblocks it', () => {
    const images = [{ digest: 'sha256:00', plans: [], obstacles: ['the advisory database was built long ago'] }];
    expect(renderWhy({ ...explained, images })).toContain(
      'Nothing in the image or by exception unblocks it:\n  the advisory database was built long ago',
    );
  });
});
