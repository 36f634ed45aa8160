import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testPod } from '../constraints/testing.ts';
import { type AdmissionRequest, LARGEST_REVIEW, parseReview, ReviewError } from './parse-review.ts';

const POD = testPod('nginx');

function reviewText(request: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request, ...more });
}

function good(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { uid: 'u1', operation: 'CREATE', namespace: 'demo', object: POD, ...more };
}

function refused(text: string | Buffer): ReviewError {
  try {
    parseReview(text);
  } catch (error) {
    if (error instanceof ReviewError) return error;
    throw error;
  }
  throw new Error('it was read');
}

function withObject(object: string): string {
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u1","operation":"CREATE","object":${object}}}`;
}

function deep(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

describe('a review as the API server sends it', () => {
  it.each(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'])('is read in %s', (apiVersion) => {
    const request = good({
      name: 'p',
      subResource: 'ephemeralcontainers',
      dryRun: true,
      userInfo: { username: 'ann', groups: ['dev'], extra: { 'x.y/z': ['1'] } },
      oldObject: null,
      options: { kind: 'CreateOptions' },
    });
    expect(parseReview(Buffer.from(reviewText(request, { apiVersion })))).toEqual({
      uid: 'u1',
      operation: 'CREATE',
      namespace: 'demo',
      name: 'p',
      subResource: 'ephemeralcontainers',
      userInfo: { username: 'ann', groups: ['dev'] },
      dryRun: true,
      object: POD,
      oldObject: null,
      reviewVersion: apiVersion,
    });
  });

  it('takes what is absent or null for empty', () => {
    const request = { uid: 'u1', operation: 'DELETE', namespace: null, userInfo: null, object: null, dryRun: null };
    expect(parseReview(reviewText(request))).toMatchObject({
      namespace: '',
      userInfo: { username: '', groups: [] },
      object: null,
      dryRun: false,
    });
  });

  it('keeps keys that mean something to JavaScript', () => {
    const text = reviewText(good()).replace(
      '"name":"p"',
      '"annotations":{"__proto__":"x","constructor":"y"},"name":"p"',
    );
    const { object } = parseReview(text);
    expect(JSON.stringify(object)).toContain('"__proto__":"x"');
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });
});

describe('what is refused, with the uid where it can be read', () => {
  it.each<[string, string | Buffer, string, string | undefined]>([
    ['nothing', '', 'not JSON', undefined],
    ['half a text', '{"request":{"uid":"u1","object":{', 'not JSON', 'u1'],
    ['null', 'null', 'body: expected an object', undefined],
    ['a list', '[]', 'body: expected an object', undefined],
    ['no version', '{}', 'apiVersion: expected admission.k8s.io/v1 or admission.k8s.io/v1beta1', undefined],
    ['another version', reviewText(good(), { apiVersion: 'admission.k8s.io/v2' }), 'apiVersion', 'u1'],
    ['another kind', reviewText(good(), { kind: 'TokenReview' }), 'kind: expected AdmissionReview', 'u1'],
    ['no request', reviewText(undefined), 'request: expected an object', undefined],
    ['a list as request', reviewText([]), 'request: expected an object', undefined],
    ['no uid', reviewText(good({ uid: undefined })), 'request.uid', undefined],
    ['an empty uid', reviewText(good({ uid: '' })), 'request.uid', undefined],
    ['a uid that is a number', reviewText(good({ uid: 1 })), 'request.uid', undefined],
    ['a uid without end', reviewText(good({ uid: 'x'.repeat(1000) })), 'request.uid', undefined],
    ['an unknown operation', reviewText(good({ operation: 'EAT' })), 'CREATE, UPDATE, DELETE, CONNECT', 'u1'],
    ['an object that is a text', reviewText(good({ object: 'pod' })), 'request.object: expected an object', 'u1'],
    ['an old object that is a list', reviewText(good({ oldObject: [] })), 'request.oldObject', 'u1'],
    ['a namespace that is a number', reviewText(good({ namespace: 5 })), 'request.namespace', 'u1'],
    ['a dryRun that is a text', reviewText(good({ dryRun: 'true' })), 'request.dryRun', 'u1'],
    ['groups that are a text', reviewText(good({ userInfo: { groups: 'x' } })), 'request.userInfo.groups', 'u1'],
    ['a user without a name', reviewText(good({ userInfo: { username: {} } })), 'request.userInfo.username', 'u1'],
    ['10,000 levels', withObject(deep(10_000)), 'nested more than 1000 levels deep', 'u1'],
    ['10,000 levels before the uid', withObject(deep(10_000)).replace('"uid":"u1",', ''), '1000 levels', undefined],
    ['4 million open brackets', '['.repeat(4_000_000), '1000 levels', undefined],
    [
      'a key twice',
      withObject('{"spec":{"image":"a","image":"b"}}'),
      '"image" stands twice in "request.object.spec"',
      'u1',
    ],
    ['a key twice, spelled apart', withObject('{"spec":1,"sp\\u0065c":2}'), '"spec" stands twice', 'u1'],
    ['__proto__ twice', withObject('{"__proto__":{},"__proto__":{}}'), '"__proto__" stands twice', 'u1'],
    ['a key twice in a list', withObject('{"l":[{"a":1},{"b":[],"b":[]}]}'), '"b" stands twice', 'u1'],
    ['the request twice', `${reviewText(good()).slice(0, -1)},"request":{"uid":"u2"}}`, '"request" stands twice', 'u2'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8', undefined],
    [
      'half a million fields',
      reviewText(good({ object: Object.fromEntries(Array.from({ length: 500_000 }, (_, at) => [`k${at}`, 1])) })),
      '500007 fields; 250000 are read',
      'u1',
    ],
    [
      'a list of half a million empty objects',
      reviewText(good({ object: { list: Array.from({ length: 500_000 }, () => ({})) } })),
      'elements of lists; 250000 are read',
      'u1',
    ],
    ['more than 8 MB', ' '.repeat(LARGEST_REVIEW + 1), 'larger than', undefined],
  ])('%s', (_what, text, part, uid) => {
    const started = performance.now();
    const error = refused(text);
    expect(error.message).toContain(part);
    expect(error.message.length).toBeLessThan(600);
    expect(error.uid).toBe(uid);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a colon, a bracket or a key inside a text is none', () => {
    const note = '{"a":1,"a":2,[[[: \\" \\\\';
    expect(parseReview(reviewText(good({ object: { note, ['x"\\']: '\\' } }))).object).toEqual({ note, 'x"\\': '\\' });
  });
});

describe('any input', () => {
  it('any JSON is read or refused, and what is read is what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (object, user) => {
        const text = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","object":${object},"userInfo":${user}}}`;
        const outcome = attempt(text);
        if (outcome instanceof ReviewError) expect(outcome.uid).toBe('u');
        else expect(outcome.object).toEqual(JSON.parse(object));
      }),
      { numRuns: 1000 },
    );
  });

  it('an object with distinct keys is read, with one key said again it is refused', () => {
    const member = fc.tuple(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ([key]) => key, minLength: 1 }), fc.nat(), (members, pick) => {
        const [key] = members[pick % members.length] ?? [''];
        const body = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
        expect(attempt(withObject(`{${body}}`))).not.toBeInstanceOf(ReviewError);
        const error = attempt(withObject(`{${body},${JSON.stringify(key)}:0}`));
        expect(error).toBeInstanceOf(ReviewError);
        expect((error as ReviewError).message).toContain('stands twice');
      }),
    );
  });

  it('a damaged review never throws anything else', () => {
    const bytes = Buffer.from(reviewText(good({ userInfo: { username: 'ann', groups: ['a', 'b'] } })));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (edits) => {
          const damaged = Buffer.from(bytes);
          for (const [at, byte] of edits) damaged[at] = byte;
          attempt(damaged);
          attempt(damaged.subarray(0, edits[0]?.[0]));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

function attempt(text: string | Buffer): AdmissionRequest | ReviewError {
  try {
    return parseReview(text);
  } catch (error) {
    if (error instanceof ReviewError) return error;
    throw error;
  }
}
