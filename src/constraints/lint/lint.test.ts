import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryParseReference } from '../../oci/reference.ts';
import { CONSTRAINT_KINDS, compileRule, KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { readManifests } from './documents.ts';
import type { LintRule } from './finding.ts';
import { lintConstraint } from './lint.ts';

function constraint(kind: string, spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): object {
  return { apiVersion: 'constraints.gatekeeper.sh/v1beta1', kind, metadata: { name: 'c', ...metadata }, spec };
}

function findings(object: object, as?: 'gatekeeper') {
  return lintConstraint(object, { as })?.findings ?? [];
}

function rulesOf(object: object, as?: 'gatekeeper'): LintRule[] {
  return findings(object, as).map(({ rule }) => rule);
}

const PREFIX = { annotations: { 'breakwater/matching': 'prefix' } };
const COMPAT = { annotations: { 'breakwater/compat': 'gatekeeper' } };

function withRepos(...repos: unknown[]): object {
  return constraint('K8sAllowedRepos', { parameters: { repos } });
}

describe('entries', () => {
  it.each([
    ['K8sAllowedRepos', 'repos', 'harbor.io', 'harbor.io.evil.example/x', 'harbor.io/'],
    ['K8sAllowedRepos', 'repos', 'docker.io/mycompany', 'docker.io/mycompany-evil/x', 'docker.io/mycompany/'],
    ['K8sAllowedRepos', 'repos', 'nginx', 'nginx.evil.example/x', 'docker.io/library/nginx:*'],
    ['K8sAllowedRepos', 'repos', 'harbor.io/p/x:1', 'harbor.io/p/x:1-evil', 'harbor.io/p/x:1@sha256:<digest>'],
    ['K8sDisallowedRepos', 'repos', 'docker.io/evil/', 'evil/app', 'all spellings'],
    ['K8sDisallowedRepos', 'repos', 'evil.io', 'EVIL.IO/app', 'all spellings'],
  ])('%s %s %s: witness %s', (kind, field, entry, witness, fix) => {
    const object = constraint(kind, { parameters: { [field]: [entry] } });
    const found = findings(object, 'gatekeeper').find((one) => one.witness);
    expect(found?.witness).toBe(witness);
    expect(found?.fix).toContain(fix);
  });

  it.each([
    [withRepos('harbor.io/'), []],
    [withRepos('harbor.io/', 'harbor.io/p/'), ['entry-covered']],
    [withRepos('harbor.io/p/', 'harbor.io/p/'), ['entry-duplicate']],
    [withRepos(''), ['entry-empty']],
    [withRepos(), ['list-empty']],
    [withRepos('https://harbor.io/'), ['entry-invalid']],
    [withRepos(1), ['shape-invalid']],
    [withRepos('docker.io/x/'), ['entry-rejects']],
    [withRepos('quay.io/'), ['entry-broad']],
    [constraint('K8sAllowedRepos', {}), ['list-missing']],
    [constraint('K8sDisallowedTags', { parameters: { tags: [':latest'] } }), ['tag-invalid']],
    [constraint('K8sDisallowedTags', { parameters: { tags: ['latest'], exemptImages: ['*'] } }), ['entry-broad']],
    [constraint('K8sAllowedReposv2', { parameters: { allowedImages: ['harbor.io/*/x'] } }), ['entry-wildcard']],
    [constraint('K8sAllowedReposv2', { parameters: { allowedImages: ['harbor.io/p/x'] } }), ['entry-untagged']],
    [constraint('K8sImageDigests', {}), ['digest-malformed']],
  ] as const)('%j: %j', (object, expected) => expect(rulesOf(object, 'gatekeeper')).toEqual(expected));

  it('are judged as the constraint compares them', () => {
    const lists: [string, Record<string, unknown>][] = [
      ['K8sAllowedRepos', { repos: ['harbor.io', 'harbor.io/p/x', 'docker.io/mycompany/', 'nginx'] }],
      ['K8sDisallowedRepos', { repos: ['evil.io', 'docker.io/evil/'] }],
      ['K8sAllowedReposv2', { allowedImages: ['nginx:1', 'harbor.io*'] }],
      ['K8sImageDigests', {}],
    ];
    for (const [kind, parameters] of lists) {
      const found = (metadata: object, as?: 'gatekeeper') =>
        findings(constraint(kind, { parameters }, { ...metadata }), as).filter(({ severity }) => severity !== 'note');
      expect(found({})).toEqual([]);
      for (const one of findings(constraint(kind, { parameters }))) expect(one.witness).toBeUndefined();
      if (kind === 'K8sImageDigests') continue;
      expect(found({}, 'gatekeeper')).not.toEqual([]);
      expect(found(PREFIX)).not.toEqual([]);
      expect(found(COMPAT)).not.toEqual([]);
    }
  });

  it.each([
    ['harbor.io', ['harbor.io/']],
    ['harbor.io/p', ['harbor.io/p/']],
    ['Reg.io/team', ['Reg.io/team/', 'reg.io/team/']],
    ['harbor.io/p/x', ['harbor.io/p/x:', 'harbor.io/p/x@', 'harbor.io/p/x/']],
    ['docker.io/mycompany', ['docker.io/mycompany/', 'mycompany/', 'index.docker.io/mycompany/']],
    ['nginx', ['docker.io/library/nginx:', 'docker.io/library/nginx@']],
    ['library/nginx', ['docker.io/library/nginx:', 'docker.io/library/nginx@']],
  ])('under matching: prefix, %s is mended by %j, which says no more and lints clean', (entry, expected) => {
    const [found] = findings(constraint('K8sAllowedRepos', { parameters: { repos: [entry] } }, PREFIX));
    expect(found?.rule).toBe('entry-bypass');
    const [written = ''] = (found?.fix ?? '').split(/ \(|, or match/);
    const mended = [...written.matchAll(/"([^"]+)"/g)].map(([, one = '']) => one);
    expect(mended).toEqual(expected);
    const repos = [...mended];
    expect(rulesOf(constraint('K8sAllowedRepos', { parameters: { repos } }, PREFIX))).toEqual([]);
  });

  it('an entry that ends a name for raw comparison alone is one there, and none by reference', () => {
    const repos = ['docker.io/library/nginx:'];
    const ruled = (metadata: Record<string, unknown>, as?: 'gatekeeper') =>
      rulesOf(constraint('K8sAllowedRepos', { parameters: { repos } }, metadata), as);
    expect(ruled(PREFIX)).toEqual([]);
    expect(ruled(COMPAT)).toEqual([]);
    expect(ruled({})).toEqual(['entry-invalid']);
    expect(ruled({}, 'gatekeeper')).toEqual(['entry-invalid']);
    const [short] = findings(constraint('K8sAllowedRepos', { parameters: { repos: ['nginx:'] } }, PREFIX));
    expect(short).toMatchObject({ rule: 'entry-bypass', witness: 'nginx:5000/x' });
  });

  it('no fix for a raw list admits what the entry does not mean', () => {
    const image = fc.oneof(
      fc.constantFrom('nginx:5000/x', 'library/other:1', 'other', 'docker.io/library/other', 'nginx-evil/x'),
      fc.stringMatching(/^(nginx|library\/|docker\.io\/|harbor\.io|x|p|\/|:1|:5000|-evil|@sha256:0{64}){1,6}$/),
    );
    const entries =
      'nginx library/nginx docker.io/nginx docker.io/library/nginx docker.io/library docker.io x/p docker.io/x';
    const others = 'docker.io/x/p harbor.io harbor.io:5000 harbor.io/p harbor.io/p/x';
    const entry = fc.constantFrom(...entries.split(' '), ...others.split(' '));
    fc.assert(
      fc.property(entry, image, fc.constantFrom(PREFIX, COMPAT), (text, asked, metadata) => {
        const [found] = findings(constraint('K8sAllowedRepos', { parameters: { repos: [text] } }, metadata));
        const [written = ''] = (found?.fix ?? '').split(/ \(|, or match/);
        const repos = [...written.matchAll(/"([^"]+)"/g)].map(([, one = '']) => one);
        const reference = tryParseReference(asked);
        if (found?.rule !== 'entry-bypass' || reference === undefined) return;
        const mended = compileRule('K8sAllowedRepos', { repos }, 'prefix')?.breaches(asked, reference);
        const meant = compileRule('K8sAllowedRepos', { repos: [text] }, 'reference')?.breaches(asked, reference);
        if (mended?.length === 0) expect(meant, `${text} -> ${repos.join(' ')} admits ${asked}`).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['K8sAllowedRepos', 'repos', (at: number) => `r${at}.io`],
    ['K8sAllowedRepos', 'repos', (at: number) => `r.io/p/x:${at}`],
    ['K8sAllowedReposv2', 'allowedImages', (at: number) => `r${at}.io/x*`],
    ['K8sDisallowedRepos', 'repos', (at: number) => `r${at}.io/x/y`],
    ['K8sDisallowedTags', 'tags', (at: number) => `t/${at}`],
    ['K8sDisallowedTags', 'exemptImages', (at: number) => `r${at}.io/x*`],
    ['K8sImageDigests', 'exemptImages', (at: number) => `r${at}.io/x*`],
  ])('20,000 entries of %s %s take no longer than their number', { timeout: 60_000 }, (kind, field, entry) => {
    const parameters = { [field]: Array.from({ length: 20_000 }, (_, at) => entry(at)) };
    const started = performance.now();
    lintConstraint(constraint(kind, { parameters }), { as: 'gatekeeper' });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a list too long for the moment it is applied is only looked over, and it is said', () => {
    const repos = [...Array.from({ length: 2000 }, (_, at) => `r${at}.io`), '', 1];
    const linted = lintConstraint(withRepos(...repos), { mostEntries: 1000 });
    expect(linted?.findings.map(({ rule, path }) => [rule, path.at(-1)])).toEqual([
      ['shape-invalid', 2001],
      ['entry-empty', 2000],
      ['list-long', 'repos'],
    ]);
    expect(lintConstraint(withRepos('r.io/'), { mostEntries: 1000 })?.findings).toEqual([]);
  });

  it('says where and how a value of the wrong type is wrong', () => {
    const [found] = findings(withRepos('harbor.io/', 1));
    expect(found?.path).toEqual(['spec', 'parameters', 'repos', 1]);
    expect(found?.message).toContain('expected string');
  });

  const text = fc.oneof(
    fc.constantFrom('nginx', 'docker.io', 'docker.io/x', 'harbor.io', 'harbor.io/p', 'harbor.io:5000', 'x:1', '', '*'),
    fc.stringMatching(/^[a-z.:/*-]{0,12}$/),
  );
  it('every witness is admitted by the library as it is and denied by reference', () => {
    const lists = fc.array(text, { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...CONSTRAINT_KINDS), lists, lists, (kind, list, exemptImages) => {
        const [main = 'tags'] = KIND_DEFINITIONS[kind].parameters;
        const parameters = { exemptImages, [main]: list };
        for (const { witness } of findings(constraint(kind, { parameters }), 'gatekeeper')) {
          if (witness === undefined) continue;
          const reference = tryParseReference(witness);
          expect(compileRule(kind, parameters, 'compat')?.breaches(witness, reference)).toEqual([]);
          expect(compileRule(kind, parameters, 'reference')?.breaches(witness, reference)).not.toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('match', () => {
  it.each([
    [{ kinds: [{ apiGroups: [''], kinds: ['Pod'] }] }, []],
    [{ kinds: [{ apiGroups: ['apps'], kinds: ['Deployments'] }] }, ['kinds-dead', 'kind-unknown']],
    [{ kinds: [{ apiGroups: ['app'], kinds: ['Deployment'] }] }, ['kinds-dead', 'kind-unknown', 'kind-unknown']],
    [{ kinds: [{ apiGroups: ['', 'apps'], kinds: ['Pod', 'Deployment', 'Service'] }] }, ['kind-without-images']],
    [{ kinds: [{ apiGroups: ['argoproj.io'], kinds: ['Rollout'] }] }, ['kind-custom']],
    [{ kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, []],
    [{ kinds: [{}] }, []],
    [{ scope: 'Cluster' }, ['scope-dead']],
    [{ scope: 'namespaced' }, ['scope-unknown']],
    [{ namespaces: ['kube-*', '*-dev', '*mid*'] }, []],
    [{ namespaces: ['Prod', 'a*b', '', '-x'] }, ['namespaces-dead', ...Array<string>(4).fill('namespace-invalid')]],
    [{ excludedNamespaces: ['*'] }, ['namespaces-dead']],
    [{ namespaces: ['a'], excludedNamespaces: ['a'] }, ['namespaces-dead']],
    [{ source: 'original' }, ['source-unknown']],
    [{ name: 'web' }, ['name-exact']],
    [{ namespaceselector: {} }, ['field-unknown']],
    [{ labelSelector: { matchExpressions: [{ key: 'a', operator: 'in', values: ['x'] }] } }, ['selector-invalid']],
    [{ labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }, ['selector-invalid']],
    [{ labelSelector: { matchLabels: { 'a b': 'x' } } }, ['selector-invalid']],
  ])('%j: %j', (match, expected) => {
    const object = constraint('K8sAllowedRepos', { match, parameters: { repos: ['harbor.io/'] } });
    expect(rulesOf(object)).toEqual(expected);
  });

  it('offers what was meant', () => {
    const match = { kinds: [{ apiGroups: ['app'], kinds: ['deployment'] }] };
    const fixes = findings(constraint('K8sAllowedRepos', { match, parameters: { repos: ['harbor.io/'] } })).map(
      (one) => one.fix,
    );
    expect(fixes).toContain('write "apps"');
    expect(fixes).toContain('write "Deployment"');
  });
});

describe('actions and annotations', () => {
  const good = { parameters: { repos: ['harbor.io/'] } };
  it.each([
    [{ enforcementAction: 'Deny' }, {}, ['action-unknown']],
    [{ enforcementAction: 'scoped' }, {}, ['scoped-empty']],
    [{ scopedEnforcementActions: [{ action: 'deny', enforcementPoints: [{ name: '*' }] }] }, {}, ['scoped-ignored']],
    [
      {
        enforcementAction: 'scoped',
        scopedEnforcementActions: [{ action: 'deny', enforcementPoints: [{ name: '*' }] }],
      },
      {},
      [],
    ],
    [
      {
        enforcementAction: 'scoped',
        scopedEnforcementActions: [
          { action: 'deny', enforcementPoints: [{ name: 'audit.gatekeeper.sh' }, { name: 'vap' }] },
        ],
      },
      {},
      ['point-unknown', 'point-missing'],
    ],
    [{ enforcementactions: 'deny' }, {}, ['field-unknown']],
    [{}, { 'breakwater/matching': 'raw' }, ['annotation-unknown']],
    [{}, { 'breakwater/restart-grace': '30d', 'breakwater/compat': 'gatekeeper' }, []],
    [{}, { 'breakwater/restart-grase': '30d' }, ['annotation-unknown']],
    [{}, { 'breakwaters/report': 'raw' }, ['annotation-unknown']],
    [{}, { 'example.com/other': 'x' }, []],
  ])('%j %j: %j', (spec, annotations, expected) => {
    expect(rulesOf(constraint('K8sAllowedRepos', { ...good, ...spec }, { annotations }))).toEqual(expected);
  });

  it('names that are too long or none', () => {
    expect(rulesOf(constraint('K8sAllowedRepos', good, { name: 'a'.repeat(64) }))).toEqual(['name-too-long']);
    expect(rulesOf(constraint('K8sAllowedRepos', good, { name: '' }))).toEqual(['name-invalid']);
    expect(lintConstraint({ apiVersion: 'v1', kind: 'Pod' })).toBeUndefined();
    expect(lintConstraint(null)).toBeUndefined();
  });
});

describe('files', () => {
  it('gives the line and column of what is wrong', () => {
    const text = `# comment
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sAllowedRepos
metadata: {name: a}
spec:
  enforcmentAction: deny
  parameters:
    repos:
      - harbor.io/
      - "nginx"
---
not: [closed
`;
    const { objects, problems } = readManifests(text);
    const [first] = objects;
    const places = findings(first?.object as object, 'gatekeeper').map(({ rule, path }) => ({
      rule,
      ...first?.positionOf(path),
    }));
    expect(places).toContainEqual({ rule: 'field-unknown', line: 6, column: 3 });
    expect(places).toContainEqual({ rule: 'entry-bypass', line: 10, column: 9 });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.position.line).toBeGreaterThan(11);
  });

  it('unfolds lists and anchors', () => {
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [withRepos('harbor.io'), withRepos('harbor.io/')],
    });
    expect(readManifests(text).objects).toHaveLength(2);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(readManifests(bomb).problems).toHaveLength(1);
    expect(readManifests('').objects).toEqual([]);
  });
});
