import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom, type Random } from '../../dev/fuzz/random.ts';
import { review } from '../../src/admission/review.ts';
import { parseConstraint } from '../../src/constraints/constraint.ts';
import { NO_FACTS } from '../../src/constraints/image-facts.ts';
import { rulesOf } from '../../src/constraints/rules.ts';
import { exportPolicies, PolicyExportError } from '../../src/constraints/vap/export.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startControllers } from '../support/controller-manager.ts';
import { createWriteClient, type WriteClient, type WriteReply } from '../support/dry-run-client.ts';
import { eventually } from '../support/eventually.ts';
import { largeConstraint, type TriedConstraint, triedConstraints } from './constraints.ts';
import { ALL_KINDS, image, type Kind, labels, podSpec, type Workload, workload } from './objects.ts';

/** Policies made of constraints, on a real API server, against the webhook's own decision: verdict and words. */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '20261129' }, each: { type: 'string', default: '80' } },
});
const each = Number(values.each);
const random = createRandom(Number(values.seed), 0);
const PARALLEL = 8;
let passed = 0;
let failed = 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function verdict(name: string, problem: string | undefined): void {
  if (problem === undefined) passed += 1;
  else {
    failed += 1;
    if (failed <= 20) say(`FAILED ${name}\n  ${problem}`);
  }
}

/** What the webhook would say, line by line. */
interface Decision {
  readonly denied: readonly string[];
  readonly warned: readonly string[];
}

function webhookDecision(
  tried: TriedConstraint,
  namespace: string,
  object: unknown,
  oldObject?: unknown,
  subResource = '',
): Decision {
  const namespaceLabels = (name: string) => tried.namespaces.find((one) => one.name === name)?.labels;
  const reply = review({ ...NO_FACTS, namespaceLabels }, rulesOf([tried.constraint]), {
    uid: 'u',
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    namespace,
    subResource,
    object: object as Record<string, unknown>,
    ...(oldObject === undefined ? {} : { oldObject: oldObject as Record<string, unknown> }),
  });
  return { denied: reply.status?.message?.split('\n') ?? [], warned: reply.warnings ?? [] };
}

/** CEL cannot put sentences in Gatekeeper's order, which the webhook does under `compat`. */
function inOneOrder(text: string, { constraint }: TriedConstraint): string {
  if (!constraint.options.compat) return text;
  const [first = '', ...others] = text.split('; [');
  return [first, ...others.map((rest) => `[${rest}`)].sort().join('; ');
}

/** How a reply differs from the decision; undefined when it does not. */
function difference(reply: WriteReply, { denied, warned }: Decision, tried: TriedConstraint): string | undefined {
  // Only under `compat` an image text is printed as it is; a policy's message has no line breaks.
  const wanted = inOneOrder(denied.join('; ').replaceAll('<a; b>', '<a\\nb>'), tried);
  const marker = 'denied request: ';
  const at = reply.message.indexOf(marker);
  const got = inOneOrder(at < 0 ? '' : reply.message.slice(at + marker.length), tried);
  if (reply.code >= 300 && at < 0) return `answered ${reply.code}: ${reply.message}`;
  if (reply.code >= 300 && reply.code !== 403) return `denied with ${reply.code}`;
  if (got !== wanted) return `denied ${JSON.stringify(got)}\n  webhook ${JSON.stringify(wanted)}`;
  const heard = reply.warnings
    .filter((text) => text.startsWith('Validation failed for ValidatingAdmissionPolicy'))
    .map((text) => inOneOrder(text.replace(/^.*? with binding '[^']*': /s, ''), tried));
  const said = warned.length === 0 ? [] : [inOneOrder(warned.join('; '), tried)];
  // The webhook's warnings are bounded together, a policy's message by itself: compared as far as both go.
  const bounded = /and \d+ more/.test(warned.at(-1) ?? '');
  if (bounded && heard.length === 1) {
    const ours = warned.slice(0, -1).join('; ');
    const theirs = heard[0]?.replace(/; and \d+ more$/, '') ?? '';
    const both = Math.min(ours.length, theirs.length);
    if (both > 0 && ours.slice(0, both) === theirs.slice(0, both)) return undefined;
  }
  if (JSON.stringify(heard) !== JSON.stringify(said)) {
    return `warned ${JSON.stringify(heard)}\n  webhook ${JSON.stringify(said)}`;
  }
  return undefined;
}

async function main(): Promise<void> {
  const cluster = await startCluster();
  const client = createWriteClient(cluster.kubeconfig);
  try {
    const constraints = triedConstraints(random);
    const bases = await prepare(client, constraints);
    await install(client, constraints);
    await typeChecked(cluster);
    const jobs = constraints.flatMap((tried) => [
      ...Array.from({ length: each }, (_, at) => creation(tried, at)),
      ...(bases.get(tried) ?? []).flatMap((base) => changes(tried, base)),
    ]);
    say(`${constraints.length} constraints, ${jobs.length} writes, seed ${values.seed}`);
    await inParallel(jobs, (job) => job(client));
    await costs(client);
    limits();
  } finally {
    await client.close();
    await cluster.stop();
  }
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed >= 2000 ? 0 : 1;
}

type Job = (client: WriteClient) => Promise<void>;

function creation(tried: TriedConstraint, at: number): Job {
  const kind = random.pick(ALL_KINDS);
  const { name: namespace } = random.pick(tried.namespaces);
  const name = `${random.pick(['web', 'db', 'x-pod'])}-${at}${random.chance(0.3) ? '-pod' : ''}`;
  const { path, object } = workload({
    kind,
    name,
    namespace,
    spec: podSpec(random),
    labels: labels(random),
    podLabels: labels(random),
  });
  return async (client) => {
    const reply = await client.write('POST', `${path}?dryRun=All`, object);
    const title = `${tried.constraint.name}: create ${kind} ${JSON.stringify(object)}`;
    verdict(title, difference(reply, webhookDecision(tried, namespace, object), tried));
  };
}

/** What can be changed of an object that is there: nothing of its images, one, or its labels. */
function changes(tried: TriedConstraint, base: Base): Job[] {
  const { workload: before, namespace, kind } = base;
  const relabelled = structuredClone(before.object);
  relabelled.metadata['labels'] = labels(random);
  const replaced = withImage(before, random);
  const jobs = [relabelled, replaced].map((object): Job => {
    return async (client) => {
      const path = `${before.path}/${String(object.metadata['name'])}?dryRun=All`;
      const reply = await client.write('PUT', path, object);
      const title = `${tried.constraint.name}: update ${kind} ${JSON.stringify(object)} of ${JSON.stringify(before.object)}`;
      verdict(title, difference(reply, webhookDecision(tried, namespace, object, before.object), tried));
    };
  });
  return kind === 'Pod' ? [...jobs, debugging(tried, base)] : jobs;
}

/** What `kubectl debug` does. */
function debugging(tried: TriedConstraint, { workload: before, namespace }: Base): Job {
  const ephemeralContainers = [{ name: 'debugger', image: image(random) }];
  return async (client) => {
    const path = `${before.path}/${String(before.object.metadata['name'])}/ephemeralcontainers?dryRun=All`;
    const object = { ...before.object, spec: { ...(before.object['spec'] as object), ephemeralContainers } };
    const reply = await client.write('PUT', path, object);
    const title = `${tried.constraint.name}: debug ${JSON.stringify(object)}`;
    verdict(
      title,
      difference(reply, webhookDecision(tried, namespace, object, before.object, 'ephemeralcontainers'), tried),
    );
  };
}

function withImage({ object }: Workload, random: Random): Workload['object'] {
  const changed = structuredClone(object);
  const spec = changed['spec'] as {
    containers?: { image: string }[];
    template?: { spec: { containers: { image: string }[] } };
  };
  const [first] = spec.containers ?? spec.template?.spec.containers ?? [];
  if (first !== undefined) first.image = image(random);
  return changed;
}

interface Base {
  readonly kind: Kind;
  readonly namespace: string;
  readonly workload: Workload;
}

/** Namespaces, and objects to update: made before any policy is there. */
async function prepare(
  client: WriteClient,
  constraints: readonly TriedConstraint[],
): Promise<Map<TriedConstraint, Base[]>> {
  const bases = new Map<TriedConstraint, Base[]>();
  await inParallel(constraints, async (tried) => {
    for (const { name, labels: own } of tried.namespaces) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: own } };
      expectDone(await client.write('POST', '/api/v1/namespaces', namespace));
    }
  });
  for (const tried of constraints) {
    const made: Base[] = [];
    for (const [at, kind] of (
      ['Pod', 'Pod', 'Pod', 'Deployment', 'ReplicaSet', 'ReplicationController'] as const
    ).entries()) {
      const { name: namespace } = random.pick(tried.namespaces);
      const wish = {
        kind,
        namespace,
        name: `base-${at}`,
        spec: podSpec(random),
        labels: labels(random),
        podLabels: labels(random),
      };
      made.push({ kind, namespace, workload: workload(wish) });
    }
    bases.set(tried, made);
  }
  await inParallel([...bases.values()].flat(), async ({ workload: { path, object } }) => {
    expectDone(await client.write('POST', path, object));
  });
  return bases;
}

/** Applies the policies and waits until each is asked. */
async function install(client: WriteClient, constraints: readonly TriedConstraint[]): Promise<void> {
  for (const { exported } of constraints) {
    for (const object of exported.objects) {
      const { kind } = object as { kind: string };
      const plural =
        kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings';
      const reply = await client.write('POST', `/apis/admissionregistration.k8s.io/v1/${plural}`, object);
      verdict(
        `the API server compiles ${kind} ${JSON.stringify((object as { metadata: unknown }).metadata)}`,
        reply.code === 201 ? undefined : reply.message,
      );
    }
  }
  // The API server takes up policies a moment after they were stored, all of a round together.
  await until('the policies', async () => {
    const [first] = constraints;
    if (first === undefined) return true;
    const spec = { containers: [{ name: 'a', image: 'nobody.example/x' }] };
    const wish = {
      kind: 'Pod' as const,
      namespace: `${first.constraint.name.slice(0, 3)}-a`,
      name: 'p',
      spec,
      labels: {},
      podLabels: {},
    };
    const { path, object } = workload(wish);
    return (await client.write('POST', `${path}?dryRun=All`, object)).code === 403;
  });
  await delay(3000);
}

interface PolicyList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly generation: number };
    readonly status?: {
      readonly observedGeneration?: number;
      readonly typeChecking?: { readonly expressionWarnings?: unknown[] };
    };
  }[];
}

function isChecked({ metadata, status }: PolicyList['items'][number]): boolean {
  return status?.typeChecking !== undefined && status.observedGeneration === metadata.generation;
}

/** Looking at the types of a hundred policies, each for nine kinds, takes the controller its time. */
const TYPES_MS = 300_000;

/** Every expression has the types of every kind it is asked about, as the controller of Kubernetes that looks at them says. */
async function typeChecked(cluster: TestCluster): Promise<void> {
  const controllers = await startControllers(cluster, ['validatingadmissionpolicy-status-controller']);
  try {
    const ask = async () => {
      const { stdout } = await cluster.kubectl(['get', 'validatingadmissionpolicies', '-ojson']);
      const { items } = JSON.parse(stdout) as PolicyList;
      return items.every(isChecked) ? items : undefined;
    };
    const limits = { limitMs: TYPES_MS, pauseMs: 1000 };
    const items = await eventually('the types of all policies to be checked', ask, limits);
    for (const { metadata, status } of items) {
      const wrong = status?.typeChecking?.expressionWarnings ?? [];
      verdict(`the types in ${metadata.name}`, wrong.length === 0 ? undefined : JSON.stringify(wrong));
    }
    say(`the types of ${items.length} policies were checked`);
  } catch (error) {
    say(controllers.output().slice(-4000));
    throw error;
  } finally {
    await controllers.stop();
  }
}

/** 1,000 entries and 100 containers stay within what the API server lets an expression cost. */
async function costs(client: WriteClient): Promise<void> {
  const large = [
    largeConstraint('K8sAllowedRepos', {}, 'l00'),
    largeConstraint('K8sAllowedRepos', { 'breakwater/matching': 'prefix' }, 'l01'),
    largeConstraint('K8sAllowedReposv2', {}, 'l02'),
    largeConstraint('K8sDisallowedRepos', {}, 'l03'),
  ];
  await prepareNamespaces(client, large);
  await install(client, large);
  for (const tried of large) {
    for (const [title, texts] of [
      [
        '100 listed images',
        Array.from({ length: 100 }, (_, at) => `registry-${at}.example.com/team-${at % 37}/app-${at * 7919}:1`),
      ],
      [
        '100 others',
        Array.from({ length: 100 }, (_, at) => `registry-${at}.example.org/team-${at}/${'long-'.repeat(20)}app:1`),
      ],
    ] as const) {
      const spec = { containers: texts.map((text, at) => ({ name: `c${at}`, image: text })) };
      const namespace = tried.namespaces[0]?.name ?? '';
      const { path, object } = workload({ kind: 'Pod', name: 'large', namespace, spec, labels: {}, podLabels: {} });
      const reply = await client.write('POST', `${path}?dryRun=All`, object);
      const { denied } = webhookDecision(tried, namespace, object);
      const text = reply.message.replace(/^.*?denied request: /s, '');
      const problem =
        denied.length === 0
          ? reply.code === 201
            ? undefined
            : reply.message
          : isBeginningOf(text, denied)
            ? undefined
            : `${reply.code} ${reply.message}`;
      verdict(
        `${tried.constraint.kind} ${JSON.stringify(tried.constraint.options.matching)}: ${title}`,
        problem?.slice(0, 600),
      );
    }
  }
}

/** The policy names the first of what the webhook denies, whole, and counts the others; the webhook's own last line may count as well. */
function isBeginningOf(text: string, denied: readonly string[]): boolean {
  const [, shown = '', left = ''] = /^(.*); and (\d+) more$/s.exec(text) ?? [];
  const more = Number(/^and (\d+) more$/.exec(denied.at(-1) ?? '')?.[1] ?? 0);
  const lines = more > 0 ? denied.slice(0, -1) : denied;
  const whole = lines.findIndex((_, at) => lines.slice(0, at + 1).join('; ') === shown) + 1;
  return whole > 0 && Number(left) === lines.length + more - whole;
}

/** What is too large for a policy is refused with the size. */
function limits(): void {
  const huge = Array.from({ length: 40_000 }, (_, at) => `registry-${at}.example.com/team/app-${at}`);
  const [any] = triedConstraints(random);
  if (any === undefined) return;
  const parameters = { repos: huge };
  const object = { ...any.object, spec: { ...any.object.spec, parameters } };
  try {
    exportPolicies({ constraint: parseConstraint(object), parameters });
    verdict('40,000 entries are refused', 'they were not');
  } catch (error) {
    const ok = error instanceof PolicyExportError && /its list makes a policy of \d+ bytes/.test(error.message);
    verdict('40,000 entries are refused', ok ? undefined : String(error));
  }
}

async function prepareNamespaces(client: WriteClient, constraints: readonly TriedConstraint[]): Promise<void> {
  for (const { namespaces } of constraints) {
    for (const { name } of namespaces) {
      expectDone(
        await client.write('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
      );
    }
  }
}

function expectDone({ code, message }: WriteReply): void {
  if (code >= 300) throw new Error(`the API server answered ${code}: ${message}`);
}

const until = <Value>(what: string, ask: () => Value | undefined | Promise<Value | undefined>) =>
  eventually(what, ask, { limitMs: 60_000, pauseMs: 200 });

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

await main();
