import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { serverUrl } from './commands/login.ts';
import { parseDestination } from './commands/mirror.ts';
import { withoutHost } from './commands/verdict.ts';
import { placeOf } from './exceptions/place.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { endOf, startOf, untilOf } from './moments.ts';
import { parsePolicy } from './policy/input.ts';
import { isLoopback } from './registry-end.ts';
import { looksLikePath } from './scan/target.ts';

describe('dates', () => {
  it('take a day as a whole, UTC', () => {
    expect([startOf('2027-01-31'), endOf('2027-01-31')]).toEqual([
      '2027-01-31T00:00:00.000Z',
      '2027-01-31T23:59:59.000Z',
    ]);
  });
  it('take a moment as it is', () => {
    expect(endOf('2027-01-31T12:00:00+02:00')).toBe('2027-01-31T10:00:00.000Z');
  });
  it.each(['', 'tomorrow', '2027-02-30', '2027-13-01', '31.01.2027', '2027-01-31T12:00:00', '2027-02-30T00:00:00Z'])(
    'refuse %j',
    (text) => expect(() => endOf(text)).toThrow(InvalidArgumentError),
  );
});

describe('spans from now', () => {
  const now = Date.parse('2027-01-31T12:00:00Z');
  it.each([
    ['+12h', '2027-02-01T00:00:00.000Z'],
    ['+30d', '2027-03-02T12:00:00.000Z'],
    ['+2w', '2027-02-14T12:00:00.000Z'],
    ['2027-06-30', '2027-06-30T23:59:59.000Z'],
  ])('%s', (text, end) => expect(untilOf(text, now)).toBe(end));
  it.each(['+', '+1', '+1m', '+-1d', '1d', '+999999d', '+1.5d'])('not %s', (text) =>
    expect(() => untilOf(text, now)).toThrow(InvalidArgumentError),
  );
});

describe('mirror destination', () => {
  it.each([
    ['front/busybox:1.36', 'front/busybox', '1.36'],
    ['front/team/app', 'front/team/app', 'latest'],
    ['127.0.0.1:8080/front/busybox:1', 'front/busybox', '1'],
  ])('%s', (text, repository, reference) => {
    expect(parseDestination(text, '127.0.0.1:8080')).toEqual({ repository, reference });
  });
  it('needs a project', () => expect(() => parseDestination('busybox:1', 'h')).toThrow(/names no project/));
  it('needs a tag', () =>
    expect(() => parseDestination(`front/app@sha256:${'a'.repeat(64)}`, 'h')).toThrow(/a tag instead of a digest/));
  it('never takes a name for another registry', () => {
    expect(parseDestination('quay.io/team/app:1', '127.0.0.1:8080').repository).toBe('quay.io/team/app');
  });
});

describe('scan targets that can only be paths', () => {
  it.each(['alpine.tar', './rootfs', '../x', '/srv/rootfs', '~/x', '.', '..', 'image.tar.gz', 'a/b.tgz'])(
    '%s',
    (text) => expect(looksLikePath(text)).toBe(true),
  );
  it.each(['alpine', 'alpine:3.20', 'quay.io/team/app:1.2', 'tar/app', '127.0.0.1:5000/a/b:c'])('not %s', (text) =>
    expect(looksLikePath(text)).toBe(false),
  );
});

describe('hosts reached without TLS', () => {
  it.each(['localhost', 'localhost:5000', '127.0.0.1:8080', '127.8.9.1', '[::1]:5000'])('%s', (host) =>
    expect(isLoopback(host)).toBe(true),
  );
  it.each(['localhost.example.com', '127.0.0.1.example.com', '128.0.0.1', 'docker.io', '10.0.0.1:5000'])(
    'not %s',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

it.each([
  ['front', { project: 'front' }],
  ['front/alpine:3.20', { project: 'front', repository: 'alpine' }],
  [`front/team/app@sha256:${'a'.repeat(64)}`, { project: 'front', repository: 'team/app' }],
])('an exception is asked for in %s', (text, place) => expect(placeOf(text)).toEqual(place));

it('a verdict may be asked for with the host of the server in front', () => {
  expect(withoutHost('127.0.0.1:8080/front/a:1', 'http://127.0.0.1:8080')).toBe('front/a:1');
  expect(withoutHost('front/a:1', 'http://127.0.0.1:8080')).toBe('front/a:1');
});

it.each(['', 'registry.example.com', 'ftp://x', 'https://a:b@x', 'https://x/path', 'https://x/?q'])(
  '%j is no address of a server',
  (text) => expect(() => serverUrl(text)).toThrow(expect.objectContaining({ code: 'usage' })),
);

describe('policy files', () => {
  it('names every wrong field', () => {
    expect(() => parsePolicy('block: {fixable: severe}\nkev: warn\n', 'front.yaml')).toThrow(
      /front\.yaml is no policy: .*block\.fixable: .*kev: /,
    );
    expect(() => parsePolicy('blok: {fixable: high}\nblock: {fixabel: high}\n', 'front.yaml')).toThrow(
      /unknown field "blok"; did you mean "block"\?; unknown field "block\.fixabel"; did you mean "block\.fixable"\?/,
    );
  });
  it('refuses what is no document', () => {
    expect(() => parsePolicy('a: [', 'front.yaml')).toThrow(/neither YAML nor JSON/);
    expect(() => parsePolicy('a: &x [1]\nb: *x', 'front.yaml')).toThrow(/neither YAML nor JSON/);
  });
});

it('the exit code tells wrong usage from other failures', () => {
  expect(exitCodeOf(thrownBy(() => parseDestination('busybox', 'h')))).toBe(EXIT.usage);
  expect(exitCodeOf(thrownBy(() => parseDestination('front/UPPER', 'h')))).toBe(EXIT.usage);
  expect(exitCodeOf(new Error('anything'))).toBe(EXIT.failure);
});

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (thrown) {
    return thrown;
  }
}
