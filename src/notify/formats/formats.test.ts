import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, type EventData, type EventType } from '../event-data.ts';
import type { Message } from '../message.ts';
import { lineOf } from '../words.ts';
import { cloudEvent } from './cloudevents.ts';
import { harborBody } from './harbor.ts';
import { mailOf } from './mail.ts';
import { slackBody } from './slack.ts';

const FOLDER = join(import.meta.dirname, '../../../docs/schemas/events');
const digest = `sha256:${'a'.repeat(64)}`;
const finding = {
  vulnerability: 'CVE-2026-1',
  package: 'zlib',
  installed: '1.0',
  fixed: '1.1',
  severity: 'high',
  rule: 'severity-fixable',
  verdict: 'block',
} as const;
const bySeverity = { none: 0, unknown: 0, negligible: 0, low: 0, medium: 0, high: 2, critical: 1 };
const exception = {
  id: 'e1',
  project: 'front',
  vulnerability: 'CVE-2026-1',
  reason: 'not reachable',
  requestedBy: 'dev',
  until: '2027-01-01T00:00:00Z',
};

/** One of every event, as it is told. */
const DATA: EventData = {
  PUSH: { repository: 'front/app', digest, tags: ['1.0', 'latest'], kind: 'image', new: true, by: 'dev' },
  DELETE: { repository: 'front/app', digest, tags: ['1.0'], deleted: 'manifest', by: 'dev' },
  PULL_BLOCKED: {
    repository: 'front/app',
    digest,
    reference: '1.0',
    by: 'robot$nodes',
    message: 'current image with 3 vulnerabilities cannot be pulled',
  },
  ADMISSION_DENIED: {
    cluster: 'production',
    constraint: { kind: 'K8sAllowedRepos', name: 'require-harbor-repo' },
    object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
    image: 'docker.io/library/nginx',
    message: 'container "web" has an invalid image repo',
    by: 'system:serviceaccount:kube-system:replicaset-controller',
    times: 1,
  },
  VERDICT_CHANGED: {
    cause: 'advisories',
    advisories: 'v2',
    total: 1,
    blocked: 1,
    released: 0,
    changes: [
      {
        repository: 'front/app',
        digest,
        previous: 'allow',
        verdict: 'block',
        sentence: 'CVE-2026-1 in zlib 1.0, fixed in 1.1',
        severity: 'high',
        counts: { total: 3, fixable: 2, suppressed: 0, bySeverity },
        added: [finding],
        addedCount: 1,
        removed: [],
        removedCount: 0,
        changesAt: '2027-01-01T00:00:00Z',
      },
    ],
  },
  GRACE_ENDING: {
    total: 1,
    images: [
      {
        repository: 'front/app',
        digest,
        deadline: '2027-01-01T00:00:00Z',
        severity: 'high',
        findings: [finding],
        findingCount: 1,
      },
    ],
  },
  EXCEPTION_REQUESTED: exception,
  EXCEPTION_DECIDED: {
    ...exception,
    decision: 'granted',
    decidedBy: 'lead',
    decisionReason: 'agreed',
    singleHanded: false,
  },
  EXCEPTION_EXPIRING: exception,
  EXCEPTION_EXPIRED: exception,
  ADVISORIES_STALE: { version: 'v1', builtAt: '2026-01-01T00:00:00Z', ageDays: 9 },
  TRUST_REVIEW_DUE: {
    id: 't1',
    entry: 'docker.io/library/nginx',
    owner: 'platform team',
    reviewDue: '2027-01-01T00:00:00Z',
    overdue: false,
  },
  POLICY_CHANGED: { owner: 'front', version: 4, previous: 3, own: true, by: 'lead', reason: 'stricter' },
  QUARANTINED: {
    id: 'q1',
    target: 'pkg:npm/event-stream@3.3.6',
    state: 'added',
    by: 'admin',
    reason: 'malicious',
    ticket: 'SEC-1',
  },
};

function messageOf(type: EventType, data: object = DATA[type]): Message {
  return { uid: 'evt_1', sequence: 7, subject: 'front/app', at: 1_800_000_000_000, type, data } as Message;
}

describe.each(EVENT_TYPES)('%s', (type) => {
  it('is told as its published schema says, in a valid CloudEvent', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const valid = ajv.compile(JSON.parse(readFileSync(join(FOLDER, `${type}.schema.json`), 'utf8')) as object);
    const event = JSON.parse(cloudEvent(messageOf(type), 'https://registry.example.com')) as Record<string, unknown>;
    expect(valid(event['data']), JSON.stringify(valid.errors)).toBe(true);
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'evt_1',
      source: 'https://registry.example.com',
      type: `breakwater.${type}`,
      time: '2027-01-15T08:00:00Z',
      datacontenttype: 'application/json',
      sequence: '0000000000000007',
    });
    for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
    expect(valid({ ...(event['data'] as object), [Object.keys(DATA[type])[0] ?? '']: undefined })).toBe(false);
  });

  it('is a line, a mail, a Slack message and a body as Harbor has it', () => {
    const message = messageOf(type);
    expect(lineOf(message)).not.toMatch(/undefined|\[object/);
    expect(mailOf(message, 'here').subject).toContain(type);
    expect(JSON.parse(slackBody(message))).toMatchObject({ text: expect.stringContaining(type) });
    expect(JSON.parse(harborBody(message, 'registry.example.com'))).toMatchObject({
      occur_at: 1_800_000_000,
      operator: expect.any(String),
      event_data: { resources: expect.any(Array), custom_attributes: { event_type: type } },
    });
  });
});

it('says a push and a finished scan in the words of Harbor', () => {
  expect(JSON.parse(harborBody(messageOf('PUSH'), 'registry.example.com'))).toMatchObject({
    type: 'PUSH_ARTIFACT',
    operator: 'dev',
    event_data: {
      resources: [
        { digest, tag: '1.0', resource_url: 'registry.example.com/front/app:1.0' },
        { digest, tag: 'latest', resource_url: 'registry.example.com/front/app:latest' },
      ],
      repository: { name: 'app', namespace: 'front', repo_full_name: 'front/app' },
    },
  });
  const report = 'application/vnd.security.vulnerability.report; version=1.1';
  expect(JSON.parse(harborBody(messageOf('VERDICT_CHANGED'), 'registry.example.com'))).toMatchObject({
    type: 'SCANNING_COMPLETED',
    event_data: {
      resources: [
        {
          resource_url: `registry.example.com/front/app@${digest}`,
          scan_overview: {
            [report]: {
              scan_status: 'Success',
              severity: 'Critical',
              summary: { total: 3, fixable: 2, summary: { High: 2, Critical: 1 } },
            },
          },
        },
      ],
    },
  });
});

it('names how many exceptions were asked for together, and the first few', () => {
  const requests = [exception, { ...exception, vulnerability: 'CVE-2026-2' }];
  const more = '/api/v1/projects/front/exceptions?batch=b';
  const message = messageOf('EXCEPTION_REQUESTED', { ...exception, batch: 'b', total: 1000, requests, more });
  expect(lineOf(message)).toContain('asks for 1000 exceptions in front, the first for ');
  const { text } = mailOf(message, 'here');
  expect(text).toContain('CVE-2026-2');
  expect(text).toContain(`and 998 more: ${more}`);
});

it('lets no name or reason become a header, a line, a mention or a link', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('\r\nBcc: eve@example.com', '<!channel>', '<https://evil.example.com|here>', '\u202e'),
      (text, evil) => {
        const message = messageOf('EXCEPTION_REQUESTED', {
          ...exception,
          reason: `${text}${evil}${text}`,
          requestedBy: `${evil}${text}`,
        });
        const { subject, text: mail } = mailOf(message, 'here');
        expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(mail.split('\n')).toHaveLength(4);
        const { text: shown } = JSON.parse(slackBody(message)) as { text: string };
        expect(shown).not.toMatch(/[<>]|\n/);
        expect(lineOf(message).length).toBeLessThanOrEqual(600);
      },
    ),
  );
});
