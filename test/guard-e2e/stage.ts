import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AdmissionHistory, createAdmissionHistory } from '../../src/admission/admission-history.ts';
import { openCertificates } from '../../src/admission/certificates.ts';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import { mutatingConfiguration } from '../../src/admission/mutating-configuration.ts';
import type { AdmissionFinding } from '../../src/admission/recorder.ts';
import { createReviewMemory } from '../../src/admission/review-memory.ts';
import { createWebhookServer } from '../../src/admission/server.ts';
import { type ConstraintWatcher, createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { createLiveCache, type LiveCache } from '../../src/audit/live-cache.ts';
import type { ImageFactsSource, ImageVerdict } from '../../src/constraints/image-facts.ts';
import { CONSTRAINT_KINDS, type ConstraintKind, pluralOf } from '../../src/constraints/kinds/kinds.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

export type Json = Record<string, unknown>;

/** Who asks, by impersonation; the groups are beside that of the administrators, which may do everything. */
export interface Asker {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Asked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real API server with a guard beside it: the webhook server, the watches and the memory of the product itself. */
export interface Stage {
  readonly cluster: TestCluster;
  readonly client: KubernetesClient;
  readonly live: LiveCache;
  readonly watcher: ConstraintWatcher;
  readonly history: AdmissionHistory;
  readonly findings: AdmissionFinding[];
  readonly facts: ImageFactsSource;
  /** A certificate for 127.0.0.1, and who vouches for it. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Registry data of the guard, by image text: change them at will. */
  readonly verdicts: Map<string, ImageVerdict>;
  readonly digests: Map<string, Digest>;
  kubectl(args: readonly string[], input?: string, as?: Asker): Promise<Asked>;
  /** kubectl with objects on its standard input. */
  apply(objects: readonly Json[], args?: readonly string[], as?: Asker): Promise<Asked>;
  /** Leaves exactly these constraints in the cluster and waits until the guard has them. */
  constraints(wanted: readonly Json[]): Promise<void>;
  /** Turns pinning on or off in the cluster. */
  pinning(templates: boolean | 'off'): Promise<void>;
  /** The object as the cluster has it. */
  get(kind: string, name: string, namespace?: string): Promise<Json>;
  close(): Promise<void>;
}

const EXEMPT = ['kube-system'];
export const ON_CALL = 'on-call';

export async function openStage(): Promise<Stage> {
  const cluster = await startCluster();
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-guard-e2e-'));
  const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
  const deps = { client, clock: systemClock, logger: silentLogger, retryMs: 200 };
  const watcher = createConstraintWatcher(deps);
  const live = createLiveCache(deps);
  const history = createAdmissionHistory();
  const findings: AdmissionFinding[] = [];
  const verdicts = new Map<string, ImageVerdict>();
  const digests = new Map<string, Digest>();
  const facts: ImageFactsSource = {
    factsAbout: () => ({
      verdicts: { verdictOf: ({ original }) => verdicts.get(original) },
      mirrors: { addressOf: () => undefined },
      digests: { digestOf: ({ original, digest }) => digest ?? digests.get(original) },
    }),
  };
  const certificates = await openCertificates({ folder, hosts: ['127.0.0.1'], clock: systemClock });
  const memory = createReviewMemory({
    clock: systemClock,
    live,
    history,
    recorder: { record: (finding) => void findings.push(finding) },
    settings: { controllers: [], breakGlassGroups: [ON_CALL] },
  });
  // Templates are pinned when the webhook configuration asks about them.
  const pinned = { templates: true };
  const server = createWebhookServer({
    source: watcher,
    facts,
    logger: silentLogger,
    tls: certificates.tls(),
    exemptNamespaces: EXEMPT,
    memory,
    pinning: pinned,
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `https://127.0.0.1:${port}`;

  async function kubectl(args: readonly string[], input?: string, as?: Asker): Promise<Asked> {
    const who = as
      ? [`--as=${as.user}`, ...['system:masters', ...(as.groups ?? [])].map((one) => `--as-group=${one}`)]
      : [];
    return cluster.kubectl([...who, ...args], input);
  }
  async function apply(objects: readonly Json[], args: readonly string[] = ['create'], as?: Asker): Promise<Asked> {
    return kubectl([...args, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), as);
  }
  function versions(): string {
    const all = watcher.rules()?.constraints ?? [];
    return all
      .map(({ kind, name, generation, uid }) => `${kind}/${name}/${uid}/${generation}`)
      .sort()
      .join(' ');
  }
  async function constraints(wanted: readonly Json[]): Promise<void> {
    const names = new Set(wanted.map((one) => `${String(one['kind'])}/${nameOf(one)}`));
    for (const { kind, name } of watcher.rules()?.constraints ?? []) {
      if (!names.has(`${kind}/${name}`)) await must(kubectl(['delete', pluralOf(kind), name]));
    }
    if (wanted.length > 0) await must(apply(wanted, ['apply']));
    const listed = await must(kubectl(['get', 'constraints', '-ojson']));
    const { items } = JSON.parse(listed) as {
      items: { kind: string; metadata: { name: string; uid: string; generation: number } }[];
    };
    const stored = items.map(({ kind, metadata }) => `${kind}/${metadata.name}/${metadata.uid}/${metadata.generation}`);
    const want = stored.sort().join(' ');
    await eventually(`the guard to see ${[...names].join(', ')}`, () => versions() === want || undefined);
    // Annotations do not raise the generation: give the watch a moment more.
    await delay(300);
  }

  const stage: Stage = {
    cluster,
    client,
    live,
    watcher,
    history,
    findings,
    facts,
    tls: { ...certificates.tls(), ca: certificates.caBundle },
    verdicts,
    digests,
    kubectl,
    apply,
    constraints,
    async pinning(templates) {
      const name = 'breakwater-mutating-webhook-configuration';
      await must(kubectl(['delete', 'mutatingwebhookconfiguration', name, '--ignore-not-found']));
      if (templates === 'off') return;
      const { caBundle } = certificates;
      const wanted = mutatingConfiguration({ webhook: { url }, caBundle, namespace: 'breakwater-system', templates });
      await must(apply([wanted as Json]));
      // The API server takes up a webhook configuration a moment after it was stored.
      await delay(1500);
    },
    async get(kind, name, namespace = 'default') {
      return JSON.parse(await must(kubectl(['get', kind, name, '-n', namespace, '-ojson']))) as Json;
    },
    async close() {
      await watcher.stop();
      await live.stop();
      await server.close();
      await client.close();
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };

  const manifests = renderGuardManifests({
    constraintName: 'first',
    repos: ['harbor.cksc.a1ck.io'],
    enforcementAction: 'warn',
    webhook: { url },
    caBundle: certificates.caBundle,
    failurePolicy: 'Ignore',
  });
  await must(kubectl(['apply', '-f', '-'], manifests));
  await live.settled();
  await eventually('the constraint kinds to be served', async () => {
    const listed = await kubectl(['get', CONSTRAINT_KINDS.map(pluralOf).join(',')]);
    return listed.code === 0 || undefined;
  });
  await eventually(
    'the constraint that the manifests carry',
    () => watcher.rules()?.constraints.length === 1 || undefined,
  );
  await eventually('the webhook to be asked', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'warm' },
      spec: { containers: [{ name: 'c', image: 'nginx' }] },
    };
    return (await apply([pod], ['create', '--dry-run=server'])).stderr.includes('[first]') || undefined;
  });
  return stage;
}

async function must(done: Promise<Asked>): Promise<string> {
  const { code, stdout, stderr } = await done;
  if (code !== 0) throw new Error(`kubectl ended with ${code}: ${stderr}`);
  return stdout;
}

/** A constraint object; without `action` the field is absent. */
export function constraint(
  kind: ConstraintKind,
  name: string,
  action: string | undefined,
  parameters: Json,
  more: { readonly annotations?: Record<string, string>; readonly spec?: Json } = {},
): Json {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind,
    metadata: { name, annotations: more.annotations ?? {} },
    spec: { ...(action === undefined ? {} : { enforcementAction: action }), parameters, ...more.spec },
  };
}

function nameOf(object: Json): string {
  return String((object['metadata'] as Json)['name']);
}
