import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { UpstreamError } from '../mirror/errors.ts';
import { createRegistryClient, type RegistryClient } from '../mirror/registry-client.ts';
import { referrersTagOf } from '../oci/referrers-tag.ts';
import { fixedClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { Caller } from '../registry/ports.ts';
import {
  descriptor,
  OCI_CONFIG,
  pushImage,
  pushManifest,
  startRegistry,
  type TestRegistry,
} from '../registry/testing.ts';
import { createFilter, nameHere } from './names.ts';
import type { ImportOptions } from './options.ts';
import { createPatience } from './patience.ts';
import type { Problem } from './ports.ts';
import { createProjectCheck } from './projects.ts';
import { createRegistrySource } from './registry-source.ts';
import { addProblem, createReport } from './report.ts';
import { importAll } from './run.ts';
import { createServerTarget } from './server-target.ts';

const everybody: Caller = { name: 'admin', bypassesGate: false, may: () => true };

/** What makes a manifest one about another. */
function about(digest: string): object {
  return { subject: { ...descriptor(OCI_CONFIG, ''), digest } };
}

const denied = () => Promise.reject(new UpstreamError('denied', 'answered 401 to the catalogue'));

function withoutCatalogue(): Partial<RegistryClient> {
  return { listRepositories: () => ({ [Symbol.asyncIterator]: () => ({ next: denied }) }) };
}

function goneForGood(): Partial<RegistryClient> {
  return { getBlob: () => Promise.reject(new UpstreamError('unavailable', 'gone', { retryAfterSeconds: 1 })) };
}

describe.each(ENGINES)('import of a registry that runs, on %s', (engine) => {
  let [from, to]: TestRegistry[] = [];
  const http = createHttpClient({ userAgent: 'breakwater-test' });
  const clock = fixedClock(0);
  let problems: Problem[];
  beforeEach(async () => {
    const open = { authenticate: async () => everybody };
    [from, to] = await Promise.all([startRegistry(engine, 'memory', open), startRegistry(engine, 'memory', open)]);
    problems = [];
  });
  afterEach(() => Promise.all([from?.close(), to?.close()]));
  const registries = () => {
    if (!from || !to) throw new Error('not started');
    return { from, to };
  };

  async function runImport(
    options: Partial<ImportOptions> = {},
    source: {
      prefix?: string;
      names?: readonly string[];
      client?: (real: RegistryClient) => Partial<RegistryClient>;
    } = {},
  ) {
    const client = (registry: TestRegistry) => createRegistryClient({ http, clock }, { url: registry.origin });
    const real = client(registries().from);
    const report = createReport();
    const onProblem = (problem: Problem) => {
      problems.push(problem);
      addProblem(report, problem);
    };
    const patience = createPatience({ clock, wait: async (ms) => clock.advance(ms), onPause: () => undefined });
    const { prefix = '', names } = source;
    const deps = {
      patience,
      source: createRegistrySource({ ...real, ...source.client?.(real) }, { prefix, names, patience, onProblem }),
      target: createServerTarget(
        client(registries().to),
        createProjectCheck(
          { kindOf: async () => 'ordinary', create: async () => undefined },
          { create: false, dryRun: false },
        ),
      ),
    };
    const usual: ImportOptions = {
      filter: createFilter([]),
      nameHere: (name) => nameHere(name, {}),
      taggedOnly: false,
      dryRun: false,
      jobs: 3,
      onProblem,
      onRepository: () => undefined,
      onProgress: () => undefined,
    };
    await importAll(deps, { ...usual, ...options }, report);
    return report;
  }

  const digestAt = async (repository: string, reference: string) =>
    (await registries().to.call('HEAD', `/v2/${repository}/manifests/${reference}`)).headers['docker-content-digest'];

  it('brings indexes, what refers to images and their platforms, and shares blobs', async () => {
    const { from, to } = registries();
    const image = await pushImage(from, 'front/app', 'amd64');
    const children = [{ mediaType: image.mediaType, digest: image.digest, size: image.bytes.length }];
    const index = await pushManifest(from, 'front/app', { schemaVersion: 2, manifests: children }, '1');
    const signature = await pushImage(from, 'front/app', undefined, about(image.digest));
    // A signature of the signature, and one of the whole index.
    const second = await pushManifest(from, 'front/app', {
      ...JSON.parse(signature.bytes.toString()),
      ...about(signature.digest),
      annotations: { a: 'b' },
    });
    const third = await pushManifest(from, 'front/app', {
      ...JSON.parse(signature.bytes.toString()),
      ...about(index.digest),
      annotations: { c: 'd' },
    });
    await pushImage(from, 'back/app', 'amd64');
    const planned = await runImport({ dryRun: true });
    expect(await digestAt('front/app', '1')).toBeUndefined();
    const report = await runImport();
    expect(problems).toEqual([]);
    expect(report).toMatchObject({ repositories: 2, tags: { imported: 3 }, blobs: { mounted: 2 } });
    expect([planned.bytes, planned.tags, planned.blobs]).toEqual([report.bytes, report.tags, report.blobs]);
    expect(await digestAt('front/app', '1')).toBe(index.digest);
    for (const { digest } of [image, signature, second, third])
      expect(await digestAt('front/app', digest)).toBe(digest);
    expect(await runImport()).toMatchObject({ tags: { imported: 0, present: 3 }, blobs: { imported: 0 }, bytes: 0 });
    const late = await pushManifest(from, 'front/app', {
      ...JSON.parse(signature.bytes.toString()),
      ...about(image.digest),
      annotations: { late: 'yes' },
    });
    expect(await runImport()).toMatchObject({ tags: { imported: 0, present: 3 }, manifests: { imported: 1 } });
    expect(await digestAt('front/app', late.digest)).toBe(late.digest);
    expect((await to.call('GET', `/v2/front/app/referrers/${image.digest}`)).body.toString()).toContain(late.digest);
  });

  it('finds what is listed under the tag of the old schema', async () => {
    const { from } = registries();
    const image = await pushImage(from, 'front/app', '1');
    const subject = { ...descriptor(OCI_CONFIG, ''), digest: image.digest };
    const signature = await pushImage(from, 'front/app', undefined, { subject });
    const manifests = [{ mediaType: signature.mediaType, digest: signature.digest, size: signature.bytes.length }];
    await pushManifest(from, 'front/app', { schemaVersion: 2, manifests }, referrersTagOf(image.digest));
    const client = (real: RegistryClient) => ({
      getReferrers: (repository: string) => real.getManifest(repository, referrersTagOf(image.digest)),
    });
    await runImport({ filter: createFilter(['front/app:1']) }, { client });
    expect([problems, await digestAt('front/app', signature.digest)]).toEqual([[], signature.digest]);
  });

  it('goes on through failures that pass, and names what does not', async () => {
    const { from } = registries();
    const image = await pushImage(from, 'front/app', '1');
    await pushImage(from, 'front/app', '2');
    const failures = new Map<string, number>();
    const client = (real: RegistryClient) => ({
      async getBlob(repository: string, digest: typeof image.digest) {
        if (digest === image.layer) throw new UpstreamError('denied', 'answered 403');
        const times = (failures.get(digest) ?? 0) + 1;
        failures.set(digest, times);
        if (times < 3) throw new UpstreamError('unavailable', 'busy', { retryAfterSeconds: 30 });
        return real.getBlob(repository, digest);
      },
    });
    const began = clock.now();
    const report = await runImport({}, { client });
    expect(problems).toEqual([{ what: 'front/app:1', reason: 'answered 403' }]);
    expect(report.tags.imported).toBe(1);
    expect(clock.now() - began).toBeGreaterThanOrEqual(60_000);
  });

  it('takes names from a list, below a prefix, and says what to do without a catalogue', async () => {
    const { from } = registries();
    await pushImage(from, 'front/app', '1');
    await pushImage(from, 'front-2/app', '1').catch(() => undefined);
    await pushImage(from, 'back/app', '1');
    const client = withoutCatalogue;
    await expect(runImport({}, { client })).rejects.toThrow('--repositories FILE');
    const names = ['front/app', 'back/app', 'NO NAME', 'front/nothing'];
    const report = await runImport({}, { client, names, prefix: 'front' });
    expect(problems).toEqual([{ what: 'NO NAME', reason: 'this cannot be the name of a repository' }]);
    expect(report).toMatchObject({ tags: { imported: 1 } });
  });

  it('ends when the source is gone, with what to do', async () => {
    const { from } = registries();
    for (let at = 0; at < 8; at += 1) await pushImage(from, 'front/app', `t${at}`);
    await expect(runImport({ jobs: 1 }, { client: goneForGood })).rejects.toThrow('Run the same command again');
  });
});
