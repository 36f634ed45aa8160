import { describe, expect, it } from 'vitest';
import { reviewConstraint } from './review-constraint.ts';

function constraint(spec: unknown, annotations: Record<string, string> = {}, name = 'c'): Record<string, unknown> {
  const apiVersion = 'constraints.gatekeeper.sh/v1beta1';
  return { apiVersion, kind: 'K8sAllowedRepos', metadata: { name, annotations }, spec };
}

function create(object: Record<string, unknown>) {
  return reviewConstraint({ uid: 'u', operation: 'CREATE', object });
}

function update(object: Record<string, unknown>, oldObject: Record<string, unknown>) {
  return reviewConstraint({ uid: 'u', operation: 'UPDATE', object, oldObject });
}

const COMPAT = { 'breakwater/compat': 'gatekeeper' };
const good = { parameters: { repos: ['harbor.io/'] } };

describe('constraints on apply', () => {
  it.each([
    [{}, 'spec.parameters.repos is missing'],
    [{ parameters: {} }, 'spec.parameters.repos is missing'],
    [{ parameters: { repos: null } }, 'spec.parameters.repos is missing'],
    [{ parameters: { repos: ['harbor.io/', ''] } }, 'spec.parameters.repos[1]: an empty entry'],
    [{ parameters: { repos: 'harbor.io' } }, 'expected array'],
    [{ ...good, enforcementAction: 'Deny' }, 'write "deny"'],
    [{ ...good, match: { kinds: 'Pod' } }, 'spec.match.kinds'],
    [{ ...good, match: { source: 'original' } }, 'write "Original"'],
    [{ ...good, match: { namespaces: ['a*b'] } }, 'no namespace matches any of these'],
    [{ ...good, match: { namespaces: ['Prod', 'a:b'] } }, 'no namespace matches any of these'],
    [{ ...good, match: { excludedNamespaces: ['*'] } }, 'every namespace is excluded'],
    [{ ...good, match: { scope: 'Cluster' } }, 'the constraint checks nothing'],
    [{ ...good, match: { kinds: [{ apiGroups: [''], kinds: ['pods'] }] } }, 'nothing is checked'],
    [{ ...good, match: { kinds: [{ apiGroups: ['v1'], kinds: ['Pod'] }] } }, 'nothing is checked'],
    [{ ...good, enforcementAction: 'scoped' }, 'enforced nowhere'],
    [
      {
        ...good,
        enforcementAction: 'scoped',
        scopedEnforcementActions: [{ action: 'deny', enforcementPoints: [{ name: 'webhook' }] }],
      },
      'enforcement point "webhook" is not known',
    ],
    [{ ...good, match: { labelSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } } }, 'operator "Is"'],
  ])('%j is refused: %s', (spec, text) => {
    const reply = create(constraint(spec));
    expect(reply).toMatchObject({ uid: 'u', allowed: false, status: { code: 403, reason: 'Forbidden' } });
    expect(reply.status?.message).toContain(text);
  });

  it('takes what is in order without a word', () => {
    expect(create(constraint(good))).toEqual({ uid: 'u', allowed: true });
    expect(create(constraint({ parameters: { repos: ['harbor.io'] } }))).toEqual({ uid: 'u', allowed: true });
    expect(create(constraint({ ...good, enforcementAction: '' }))).toEqual({ uid: 'u', allowed: true });
  });

  it('warns about what is dead beside what is not', () => {
    const kinds = [{ apiGroups: [''], kinds: ['Pod', 'pods'] }];
    const reply = create(constraint({ ...good, match: { namespaces: ['Prod', 'demo'], kinds } }));
    expect(reply).toMatchObject({ allowed: true, status: { code: 299 } });
    expect(reply.warnings?.join()).toContain('no namespace matches "Prod"');
  });

  it('warns with a witness about a prefix that can be passed by', () => {
    const reply = create(constraint({ parameters: { repos: ['harbor.io'] } }, { 'breakwater/matching': 'prefix' }));
    expect(reply).toMatchObject({ allowed: true, status: { code: 299 } });
    expect(reply.warnings?.[0]).toContain('lets "harbor.io.evil.example/x" through');
  });

  it('under compat only what Gatekeeper refuses', () => {
    expect(create(constraint({}, COMPAT)).allowed).toBe(true);
    expect(create(constraint({ parameters: { repos: [''] } }, COMPAT)).allowed).toBe(true);
    expect(create(constraint({ ...good, enforcementAction: 'x' }, COMPAT)).allowed).toBe(false);
    expect(create(constraint(good, COMPAT, 'a'.repeat(64))).allowed).toBe(false);
  });

  it('lets what is stored already be labelled, but not be changed into something else that is refused', () => {
    const bad = constraint({ parameters: { repos: [''] } });
    const labelled = { ...bad, metadata: { name: 'c', labels: { a: 'b' }, annotations: { other: 'x' } } };
    expect(update(labelled, bad).allowed).toBe(true);
    expect(update(constraint({ parameters: { repos: ['', 'x/'] } }), bad).allowed).toBe(false);
    expect(update(constraint({}), constraint(good)).allowed).toBe(false);
    const leaving = { ...constraint({}), metadata: { name: 'c', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(update(leaving, constraint(good)).allowed).toBe(true);
    expect(reviewConstraint({ uid: 'u', operation: 'DELETE', oldObject: bad })).toEqual({ uid: 'u', allowed: true });
  });

  it('says that a namespace it names is left out of the webhook', () => {
    const surroundings = { unaskedNamespaces: () => ['kube-system', 'kube-public', 'guard'] };
    const warned = (match: unknown, annotations = {}) => {
      const object = constraint({ ...good, match }, annotations);
      return reviewConstraint({ uid: 'u', operation: 'CREATE', object }, surroundings).warnings?.join();
    };
    expect(warned({ namespaces: ['demo', 'kube-system'] })).toContain(
      'spec.match.namespaces[1]: the webhook configuration leaves kube-system out',
    );
    expect(warned({ namespaces: ['kube-*'] }, COMPAT)).toContain('leaves kube-system, kube-public out');
    for (const match of [{}, { namespaces: ['demo'] }, { namespaces: ['*'] }]) expect(warned(match)).toBeUndefined();
    expect(warned({ namespaces: ['kube-*'], excludedNamespaces: ['kube-p*', 'kube-s*'] })).toBeUndefined();
  });

  it('says that nobody reads it where that is so', () => {
    const reply = reviewConstraint(
      { uid: 'u', operation: 'CREATE', object: constraint({ ...good, enforcementAction: 'deny' }) },
      { unread: 'this server does not read constraints' },
    );
    expect(reply).toMatchObject({ allowed: true, status: { code: 299 } });
    expect(reply.warnings).toEqual(['K8sAllowedRepos c: this server does not read constraints']);
  });

  it.each<[string, object]>([
    ['a list', { parameters: { repos: Array.from({ length: 200_000 }, (_, at) => `r${at}.io`) } }],
    ['a list of one repository', { parameters: { repos: Array.from({ length: 200_000 }, (_, at) => `r.io/x:${at}`) } }],
    [
      'kinds',
      {
        ...good,
        match: { kinds: [{ apiGroups: Array(100_000).fill('x'), kinds: Array(100_000).fill('Pod') }] },
      },
    ],
    [
      'namespaces',
      { ...good, match: { namespaces: Array(200_000).fill('a'), excludedNamespaces: Array(9999).fill('b') } },
    ],
    [
      'a great many fields',
      { ...good, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f${at}`, 1])) },
    ],
  ])('%s of any length is answered at once, and what was not looked at is said', (_what, spec) => {
    const started = performance.now();
    const reply = create(constraint(spec, { 'breakwater/matching': 'prefix' }));
    expect(performance.now() - started).toBeLessThan(500);
    expect(reply.allowed).toBe(true);
    expect(reply.warnings?.join('\n')).toContain('ask breakwater guard lint');
  });

  it('finds an empty entry in a list of any length', () => {
    const repos = [...Array.from({ length: 50_000 }, (_, at) => `r${at}.io`), ...Array<string>(50_000).fill('')];
    const reply = create(constraint({ parameters: { repos } }));
    expect(reply.allowed).toBe(false);
    expect(reply.status?.message).toBe('K8sAllowedRepos c: spec.parameters.repos[50000]: an empty entry; remove it');
  });

  it('leaves other objects alone', () => {
    expect(create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } })).toEqual({ uid: 'u', allowed: true });
  });
});
