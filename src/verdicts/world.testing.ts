import { putBlob } from '../blobs/blob-store.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { Inventory, Package } from '../model/inventory.ts';
import { canonicalHash } from '../oci/canonical.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { readBounded } from '../platform/streams.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import { defaultPolicy, type Policy } from '../policy/policy.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import { createQuarantineAnswers } from '../quarantine/answers.ts';
import { storeManifest } from '../registry/manifest-writer.ts';
import type { Caller, ManifestSubject } from '../registry/ports.ts';
import { ensureRepository } from '../registry/repositories.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import { mentioningIn } from '../scanner/matcher/lookup.testing.ts';
import type { AdvisoryStatement } from '../scanner/matcher/lookup.ts';
import type { GateLedger, LayerAnalyser } from './ports.ts';
import { createVerdicts, type VerdictsDeps } from './verdicts.ts';

export const NOW = 1_800_000_000_000;
export const DAY = 86_400_000;

/** What a test layer holds; a layer is this as JSON. */
interface TestLayer {
  readonly distribution?: string;
  /** `name@version`, or `npm:name@version`. */
  readonly packages?: readonly string[];
  readonly broken?: boolean;
}

/** Statements of one advisory database, by `ecosystem/name`. */
export type Facts = Readonly<Record<string, readonly Vulnerable[]>>;
interface Vulnerable {
  readonly id: string;
  readonly fixed?: string;
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
}

export const ALPINE = 'Alpine:v3.23';
export const gated: Policy = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'critical' } };
export const someone: Caller = { name: 'dev', may: () => true, bypassesGate: false };
export const scannerAccount: Caller = { name: 'scanner', may: () => true, bypassesGate: true };

/** A database of made-up facts; Alpine 3.23 is complete, npm a sample. */
export function advisoriesOf(facts: Facts, builtAt = NOW - DAY): AdvisoryDatabase {
  const statements = new Map(
    Object.entries(facts).map(([key, list]) => [
      key,
      list.map(
        ({ id, fixed, severity }): AdvisoryStatement => ({
          advisory: id,
          ids: [id],
          feed: 'test',
          ranges: [fixed === undefined ? {} : { fixed }],
          versions: [],
          severities: [{ source: 'nvd', severity }],
        }),
      ),
    ]),
  );
  const sources = [
    { ecosystem: ALPINE, feed: 'test', completeness: 'complete' as const, records: 1 },
    { ecosystem: 'npm', feed: 'test', completeness: 'complete' as const, records: 1 },
  ];
  return {
    version: canonicalHash([facts, builtAt]),
    builtAt: new Date(builtAt).toISOString(),
    sources,
    path: '',
    keys: () => [],
    mentioning: mentioningIn(statements.values()),
    close: () => undefined,
    ecosystemsUnder: (prefix) => sources.map(({ ecosystem }) => ecosystem).filter((name) => name.startsWith(prefix)),
    sourcesOf: (ecosystem) => sources.filter((source) => source.ecosystem === ecosystem),
    advisoriesFor: (ecosystem, name) => statements.get(`${ecosystem}/${name}`) ?? [],
    vulnerability: () => undefined,
  };
}

function testAnalyser(world: {
  version: string;
  reads: number;
  broken: boolean;
  short: boolean;
  gate: Promise<void>;
}): LayerAnalyser {
  return {
    get version() {
      return world.version;
    },
    async analyse(blob) {
      await world.gate;
      if (world.broken) throw new Error('the worker died');
      world.reads += 1;
      const bytes = await readBounded(await blob.open(), 1e6, 'layer');
      if (world.short) return { bytes: Buffer.from('{}'), complete: false };
      return { bytes, complete: testLayer(bytes).broken !== true };
    },
    async compose(layers): Promise<Inventory> {
      const distribution = layers.map(({ evidence }) => testLayer(evidence.bytes).distribution).findLast(Boolean);
      return {
        analyser: world.version,
        ...(distribution ? { distribution: { id: 'alpine', version: distribution, idLike: [], rolling: false } } : {}),
        packages: layers.flatMap(({ digest, evidence }) =>
          (testLayer(evidence.bytes).packages ?? []).map((text) => testPackage(text, digest)),
        ),
        gaps: [],
        complete: true,
      };
    },
    hashOf: canonicalHash,
  };
}

function testLayer(bytes: Uint8Array): TestLayer {
  return JSON.parse(Buffer.from(bytes).toString()) as TestLayer;
}

function testPackage(text: string, layer: Digest): Package {
  const [, npm, name = '', version = ''] = /^(npm:)?(.+)@(.+)$/.exec(text) ?? [];
  const type = npm ? 'npm' : 'apk';
  return { type, name, version, purl: `pkg:${type}/${name}@${version}`, path: `${type}/db`, layer };
}

/** A registry's content with verdicts over it, without a server: projects `front` (gated) and `back` (default policy). */
export async function createWorld(handle: DatabaseHandle, over: Partial<VerdictsDeps> = {}) {
  const { db } = handle;
  const clock = fixedClock(NOW);
  const blobs = createMemoryBlobStore({ clock });
  const state = {
    analyser: { version: 'test@1', reads: 0, broken: false, short: false, gate: Promise.resolve() },
    advisories: undefined as AdvisoryDatabase | undefined,
    policies: new Map<string, { policy: Policy; coming?: readonly ComingPolicy[]; version: number }>([
      ['front', { policy: gated, version: 1 }],
      ['back', { policy: defaultPolicy, version: 2 }],
    ]),
    exceptions: [] as GrantedException[],
    jobs: new Map<string, { kind: string; payload: unknown }>(),
    ledger: [] as Parameters<GateLedger['record']>[0][],
    policyReads: 0,
  };
  for (const name of ['front', 'back'])
    await db
      .insertInto('projects')
      .values({ id: name, name, public: 0, created_by: 'admin', created_at: NOW })
      .execute();

  function start(again: Partial<VerdictsDeps> = {}) {
    return createVerdicts({
      db,
      // Policies and exceptions are not in the database here.
      state: async () => JSON.stringify([await handle.state(), [...state.policies], state.exceptions]),
      blobs,
      clock,
      logger: silentLogger,
      analyser: testAnalyser(state.analyser),
      advisories: { current: () => state.advisories },
      policies: {
        effectivePolicy: async (id) => {
          state.policyReads += 1;
          return state.policies.get(id) ?? { policy: defaultPolicy, version: 0 };
        },
      },
      exceptions: { granted: async (id) => (id === 'front' ? state.exceptions : []) },
      vex: { mark: async (_place, findings) => findings },
      quarantines: createQuarantineAnswers({ db, state: handle.state }),
      jobs: {
        enqueue: async ({ kind, key, payload }) => {
          state.jobs.set(`${kind} ${key}`, { kind, payload });
        },
      },
      ledger: {
        record: async (entry) => {
          state.ledger.push(entry);
        },
      },
      hosts: ['registry.example.com'],
      budgetMs: 5000,
      holdMs: 30_000,
      ...over,
      ...again,
    });
  }
  let verdicts = start();

  async function storeBytes(bytes: Buffer): Promise<{ digest: Digest; size: number }> {
    const digest = digestOf(bytes);
    const size = bytes.byteLength;
    if (!(await blobs.stat(digest))) await putBlob(blobs, digest, [bytes] as never);
    await db
      .insertInto('blobs')
      .values({ digest, size, created_at: clock.now() })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .execute();
    return { digest, size };
  }

  async function store(name: string, document: object, mediaType: string, tag?: string): Promise<ManifestSubject> {
    const repository = await ensureRepository({ db, clock }, name);
    const bytes = Buffer.from(JSON.stringify(document));
    const { digest } = await storeManifest(
      { db, clock },
      {
        repository,
        bytes,
        mediaType,
        tags: tag === undefined ? [] : [tag],
        createdBy: 'dev',
        missingContent: 'accept',
      },
    );
    return { repositoryId: repository.id, repository: name, digest, kind: parseManifest(bytes, mediaType).kind };
  }

  /** Stores an image without telling anybody. */
  function storeImage(name: string, layers: readonly TestLayer[], tag?: string, layerType?: string) {
    return storeLayers(
      name,
      layers.map((layer) => Buffer.from(JSON.stringify(layer))),
      tag,
      layerType,
    );
  }

  async function storeLayers(name: string, layers: readonly Buffer[], tag?: string, layerType?: string) {
    const stored = await Promise.all(layers.map(storeBytes));
    const config = await storeBytes(Buffer.from('{}'));
    const mediaType = layerType ?? 'application/vnd.oci.image.layer.v1.tar+gzip';
    return store(
      name,
      {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: stored.map((layer) => ({ mediaType, ...layer })),
      },
      OCI_MANIFEST,
      tag,
    );
  }

  return {
    db,
    clock,
    blobs,
    state,
    storeImage,
    storeBytes,
    store,
    get verdicts() {
      return verdicts;
    },
    restart(again: Partial<VerdictsDeps> = {}) {
      verdicts = start(again);
      return verdicts;
    },
    async push(name: string, layers: readonly TestLayer[], tag?: string) {
      const subject = await storeImage(name, layers, tag);
      const { warnings } = await verdicts.ingest.manifestStored(subject);
      return { ...subject, warnings };
    },
    async pushLayers(name: string, layers: readonly Buffer[], tag: string) {
      const subject = await storeLayers(name, layers, tag);
      const { warnings } = await verdicts.ingest.manifestStored(subject);
      return { ...subject, warnings };
    },
    async pushIndex(name: string, children: readonly Digest[], tag?: string) {
      const manifests = children.map((digest, at) => ({
        mediaType: OCI_MANIFEST,
        digest,
        size: 1,
        platform: { os: 'linux', architecture: `cpu${at}` },
      }));
      const subject = await store(name, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX, tag);
      const { warnings } = await verdicts.ingest.manifestStored(subject);
      return { ...subject, warnings };
    },
    async pushArtifact(name: string) {
      const empty = await storeBytes(Buffer.from('{}'));
      const config = { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...empty };
      const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] };
      const subject = await store(name, document, OCI_MANIFEST);
      const { warnings } = await verdicts.ingest.manifestStored(subject);
      return { ...subject, warnings };
    },
    /** Stores an artifact with this configuration and layer, whatever they are, and tells about it. */
    async pushDisguised(name: string, parts: { readonly config: string | undefined; readonly layer: TestLayer }) {
      const config = parts.config === undefined ? undefined : await storeBytes(Buffer.from(parts.config));
      const absent = { digest: digestOf(Buffer.from('not here')), size: 8 };
      const layer = await storeBytes(Buffer.from(JSON.stringify(parts.layer)));
      const document = {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.example.thing', ...(config ?? absent) },
        layers: [{ mediaType: 'application/vnd.in-toto+json', ...layer }],
      };
      const subject = await store(name, document, OCI_MANIFEST);
      const { warnings } = await verdicts.ingest.manifestStored(subject);
      return { ...subject, warnings };
    },
    pull: (subject: ManifestSubject, caller: Caller = someone) => verdicts.gate.decide(subject, caller),
    verdictOf: (subject: ManifestSubject) => verdicts.verdictFor(subject.repository, subject.digest),
    async runJobs() {
      const jobs = [...state.jobs.values()];
      state.jobs.clear();
      for (const { kind, payload } of jobs) await verdicts.jobHandlers.get(kind)?.(payload);
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;
