import { check, heading, holds, lacks, same } from '../check.ts';
import { type Asked, constraint, type Json, type Stage } from '../stage.ts';
import { KINDS, type Kind, PLACES, type Place, podSpec, simple, workload } from '../workloads.ts';

/** It breaks the rules of all five kinds at once. */
const IMAGE = 'evil.example.com/app:latest';
const STYLES = ['welkin-docs', 'gatekeeper', 'welkin-current'] as const;
type Style = (typeof STYLES)[number];

interface Enforced {
  readonly title: string;
  readonly action: string | undefined;
  readonly spec?: Json;
  readonly does: 'deny' | 'warn' | 'nothing';
}

const POINT = 'validation.gatekeeper.sh';
function scoped(...actions: readonly (readonly [action: string, ...points: string[]])[]): Json {
  return {
    scopedEnforcementActions: actions.map(([action, ...points]) => ({
      action,
      enforcementPoints: points.map((name) => ({ name })),
    })),
  };
}

const ENFORCED: readonly Enforced[] = [
  { title: 'deny', action: 'deny', does: 'deny' },
  { title: 'no action', action: undefined, does: 'deny' },
  { title: 'warn', action: 'warn', does: 'warn' },
  { title: 'dryrun', action: 'dryrun', does: 'nothing' },
  {
    title: 'scoped: deny here',
    action: 'scoped',
    spec: scoped(['deny', POINT], ['warn', 'audit.gatekeeper.sh']),
    does: 'deny',
  },
  { title: 'scoped: warn everywhere', action: 'scoped', spec: scoped(['warn', '*']), does: 'warn' },
  { title: 'scoped: audit only', action: 'scoped', spec: scoped(['deny', 'audit.gatekeeper.sh']), does: 'nothing' },
];

const PARAMETERS = {
  K8sAllowedRepos: { repos: ['harbor.cksc.a1ck.io', 'registry.k8s.io/pause'] },
  K8sAllowedReposv2: { allowedImages: ['harbor.cksc.a1ck.io/*', 'nginx'] },
  K8sDisallowedRepos: { repos: ['evil.example.com'] },
  K8sDisallowedTags: { tags: ['latest', 'dev'] },
  K8sImageDigests: {},
} as const;
type Rule = keyof typeof PARAMETERS;
const RULES = Object.keys(PARAMETERS) as Rule[];

/** The sentences of the reference, section 0 and 1.1, written out. */
function sentence(rule: Rule, style: Style, place: Place, name: string): string {
  const [open, close] = style === 'welkin-docs' ? ['"', '"'] : ['<', '>'];
  const who = `${place} ${open}${name}${close}`;
  const what = `${open}${IMAGE}${close}`;
  switch (rule) {
    case 'K8sAllowedRepos': {
      const repos = '["harbor.cksc.a1ck.io", "registry.k8s.io/pause"]';
      if (style !== 'welkin-current') return `${who} has an invalid image repo ${what}, allowed repos are ${repos}`;
      const spoken = { ephemeralContainer: 'ephemeral container', imageVolume: 'image volume' } as Record<
        string,
        string
      >;
      return (
        `The ${spoken[place] ?? place} named <${name}> does not have an allowed image registry <${IMAGE}>, allowed registries are <${repos}>. ` +
        'Elastisys Welkin® requires that all images come from trusted registries. ' +
        'Read more at https://elastisys.io/welkin/user-guide/safeguards/enforce-trusted-registries/'
      );
    }
    case 'K8sAllowedReposv2':
      return `${who} has an invalid image ${what}, allowed images are ["harbor.cksc.a1ck.io/*", "nginx"]`;
    case 'K8sDisallowedRepos':
      return `${who} has an invalid image repo ${what}, disallowed repos are ["evil.example.com"]`;
    case 'K8sDisallowedTags': {
      const any = place === 'imageVolume' ? place : 'container';
      return `${any} ${open}${name}${close} uses a disallowed tag ${what}; disallowed tags are ["latest", "dev"]`;
    }
    case 'K8sImageDigests':
      return `${who} uses an image without a digest ${what}`;
  }
}

function nameOfRule(rule: Rule): string {
  return `rule-${rule.toLowerCase()}`;
}

function lines(style: Style, denied: boolean, place: Place, name: string): string[] {
  return RULES.map((rule) => {
    const prefix = denied && style === 'welkin-docs' ? `[denied by ${nameOfRule(rule)}]` : `[${nameOfRule(rule)}]`;
    return `${prefix} ${sentence(rule, style, place, name)}`;
  });
}

/** Every kind of workload, place of an image, kind of constraint, action and style, asked of the API server by kubectl. */
export async function matrix(stage: Stage): Promise<void> {
  heading('Every kind, place, action and style');
  for (const style of STYLES) {
    for (const enforced of ENFORCED) {
      await stage.constraints(
        RULES.map((rule) =>
          constraint(rule, nameOfRule(rule), enforced.action, PARAMETERS[rule], {
            annotations: { 'breakwater/message-style': style },
            ...(enforced.spec ? { spec: enforced.spec } : {}),
          }),
        ),
      );
      await askAll(stage, style, enforced);
    }
  }
}

async function askAll(stage: Stage, style: Style, { title, does }: Enforced): Promise<void> {
  const cases = KINDS.flatMap((kind) => PLACES.map((place) => ({ kind, place, name: caseName(kind, place) })));
  const objects = cases.map(({ kind, place, name }) => workload(kind, name, podSpec(place, name, IMAGE)));
  const asked = await stage.apply(objects, ['create', '--dry-run=server']);
  for (const { kind, place, name } of cases) {
    await check(`${style}, ${title}: ${kind} ${place}`, () => judge(asked, { style, does, place, name }));
  }
  const name = `d-${style}-${title.replaceAll(/\W+/g, '-')}`;
  // A pod of its own: once its image is in a pod, bringing it there again is no new image.
  await stage.apply([simple('Pod', name, `harbor.cksc.a1ck.io/x@sha256:${'e'.repeat(64)}`)]);
  const debug = await stage.kubectl([
    'debug',
    name,
    `--image=${IMAGE}`,
    `--container=${name}`,
    '--profile=general',
    '--attach=false',
  ]);
  await check(`${style}, ${title}: kubectl debug`, () => {
    judge(debug, { style, does, place: 'ephemeralContainer', name });
    same(debug.code, does === 'deny' ? 1 : 0);
  });
}

function caseName(kind: Kind, place: Place): string {
  return `${kind}-${place}`.toLowerCase();
}

function judge(
  { stdout, stderr }: Asked,
  { style, does, place, name }: { style: Style; does: Enforced['does']; place: Place; name: string },
): void {
  if (does === 'deny') {
    const message = lines(style, true, place, name).join('\n');
    holds(stderr, `admission webhook "validation.gatekeeper.sh" denied the request: ${message}\n`);
    lacks(stdout, `/${name} created`);
    return;
  }
  for (const line of lines(style, false, place, name)) {
    if (does === 'warn') holds(stderr, `Warning: ${line}\n`);
    else lacks(stderr, line);
  }
  lacks(stderr, 'denied the request');
  if (place !== 'ephemeralContainer') holds(stdout, `/${name} created`);
}
