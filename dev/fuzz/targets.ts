import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ticketIn } from '../../src/notify/ticket-template.ts';
import { ManifestError, parseManifest } from '../../src/oci/manifest.ts';
import { JsonError } from '../../src/oci/strict-json.ts';
import { analyseLocalTarget } from '../../src/scanner/analyse-image.ts';
import { analyseLayer } from '../../src/scanner/analyse-layer.ts';
import { CATALOGERS } from '../../src/scanner/catalogers/index.ts';
import { composeInventory } from '../../src/scanner/compose.ts';
import { ScanError } from '../../src/scanner/errors.ts';
import { viewOf } from '../../src/scanner/file-view.ts';
import { DEFAULT_LIMITS } from '../../src/scanner/model.ts';
import { readSbom } from '../../src/scanner/sbom-read/read-sbom.ts';
import { readLargeCsaf } from '../../src/scanner/vex/large-csaf.ts';
import { parseVex } from '../../src/scanner/vex/parse.ts';
import { readVexDocument } from '../../src/scanner/vex/read-document.ts';
import type { ZipLimits } from '../../src/scanner/zip/entry.ts';
import { makeZip } from '../../src/scanner/zip/make-zip.testing.ts';
import { openZip, type ZipArchive } from '../../src/scanner/zip/open-zip.ts';
import { makeTar } from '../../test/support/tar.ts';
import { exceptionTargets } from './exception-targets.ts';
import { feedTargets } from './feed-targets.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateLines } from './mutate-lines.ts';
import { mutateTar } from './mutate-tar.ts';
import { quarantineTargets } from './quarantine-targets.ts';
import type { Random } from './random.ts';
import { catalogerSamples, dataFiles, pieces, unpacked } from './samples.ts';
import { checkResult, type Sample, type Target } from './target.ts';

const LIMITS = { ...DEFAULT_LIMITS, uncompressedBytes: 256 * 1024 ** 2 };

/** Layers hold something of everything that catalogers want. */
async function layers(): Promise<Sample[]> {
  const all = [...(await catalogerSamples()).values()].flatMap((samples) => samples.slice(0, 3));
  const made = makeTar([
    ...all.map(({ path, bytes }) => ({ name: path, content: bytes.subarray(0, 60_000) })),
    { name: 'usr/bin', type: 'symlink', link: '../bin' },
    { name: 'bin/x', type: 'hardlink', link: all[0]?.path ?? '' },
    { name: 'lib/apk/.wh.db' },
    { name: `${'long/'.repeat(40)}package.json`, content: '{"name":"a","version":"1"}' },
  ]);
  const odd = dataFiles('images/odd-tars', (path) => /\.tar(?:\.gz)?$/.test(path)).map(unpacked);
  const whiteouts = dataFiles('images/whiteouts', (path) => path.endsWith('.tar')).map(unpacked);
  return [{ path: 'made.tar', bytes: made }, ...odd, ...whiteouts].filter(({ bytes }) => bytes.length < 3e6);
}

async function analyse(bytes: Buffer): Promise<void> {
  const evidence = await analyseLayer(pieces(bytes), { limits: LIMITS });
  const inventory = composeInventory([{ evidence }, { evidence }]);
  checkResult(evidence, bytes);
  checkResult(inventory, bytes);
  if (!evidence.complete && inventory.gaps.length === 0) throw new Error('incomplete without a reason');
}

function compressed(random: Random, bytes: Buffer): Buffer {
  return random.chance(0.5) ? gzipSync(bytes, { level: 1 }) : zstdCompressSync(bytes);
}

const layerTargets: readonly Target[] = [
  { name: 'tar', samples: layers, mutate: mutateTar, run: ({ bytes }) => analyse(bytes) },
  {
    name: 'compressed-layer',
    samples: layers,
    mutate: (random, bytes, other) =>
      random.chance(0.3)
        ? compressed(random, mutateTar(random, bytes, other))
        : mutateBytes(random, compressed(random, bytes), compressed(random, other.subarray(0, 100_000))),
    run: ({ bytes }) => analyse(bytes),
  },
  {
    name: 'local-archive',
    samples: async () =>
      [
        ...dataFiles('images/docker-archive', (path) => path.endsWith('.tar')).map(unpacked),
        ...(await layers()),
      ].filter(({ bytes }) => bytes.length < 1e6),
    mutate: (random, bytes, other) => {
      const mutated = mutateTar(random, bytes, other);
      return random.chance(0.2) ? gzipSync(mutated, { level: 1 }) : mutated;
    },
    async run({ bytes }) {
      const path = join(tmpdir(), 'case.tar');
      writeFileSync(path, bytes);
      try {
        const target = await analyseLocalTarget(path);
        checkResult(target?.inventory, bytes);
      } catch (error) {
        if (!(error instanceof ScanError) && !(error instanceof ManifestError)) throw error;
      }
    },
  },
];

const TEXTS = new Set(['apk', 'dpkg', 'alpm', 'opkg', 'system', 'python', 'ruby']);
const JSONS = new Set(['npm', 'conda', 'php', 'dotnet', 'sbom']);

const catalogerTargets: readonly Target[] = CATALOGERS.map((cataloger) => ({
  name: `cataloger-${cataloger.name}`,
  samples: async () => (await catalogerSamples()).get(cataloger.name) ?? [],
  mutate: TEXTS.has(cataloger.name) ? mutateLines : JSONS.has(cataloger.name) ? mutateJson : mutateBytes,
  run: ({ path, bytes }) => checkResult(cataloger.catalog(path, viewOf(bytes)), bytes),
}));

/** Reads everything in an archive and in the archives within. */
function readAll(archive: ZipArchive, limits: ZipLimits, depth: number): number {
  let size = 0;
  for (const entry of archive.entries) {
    const content = entry.read(8 * 1024 * 1024);
    size += content?.length ?? 0;
    if (content && depth < 4 && /\.(?:jar|zip)$/.test(entry.name))
      size += readAll(openZip(viewOf(content), limits), limits, depth + 1);
  }
  return size;
}

const zipTarget: Target = {
  name: 'zip',
  async samples() {
    const inner = makeZip([
      { name: 'META-INF/maven/a/b/pom.properties', content: 'groupId=a\nartifactId=b\nversion=1\n' },
    ]);
    const made = makeZip([
      { name: 'a.jar', content: inner },
      { name: 'b/c.txt', content: Buffer.alloc(50_000, 'x') },
    ]);
    const real = dataFiles('images/layers', (path) => /\.(?:jar|war|ear|egg|whl|zip)$/.test(path)).filter(
      ({ bytes }) => bytes.length < 1e6,
    );
    return [{ path: 'made.zip', bytes: made }, ...real];
  },
  mutate: mutateBytes,
  run({ bytes }) {
    const limits = { entries: 10_000, bytes: 64 * 1024 * 1024 };
    const archive = openZip(viewOf(bytes), limits);
    if (readAll(archive, limits, 0) > 64 * 1024 * 1024) throw new Error('more was read than the limit');
    checkResult(archive.problems, bytes);
  },
};

const documentTargets: readonly Target[] = [
  {
    name: 'sbom-json',
    samples: async () => sboms(/\.(?:json|jsonl)$/),
    mutate: mutateJson,
    run: ({ bytes }) => checkResult(readSbom(bytes), bytes),
  },
  {
    name: 'sbom-text',
    samples: async () => [
      ...sboms(/\.(?:xml|spdx|txt)$/),
      {
        path: 'a.xml',
        bytes: Buffer.from(
          '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.6">\n<components>\n<component type="library"><name>a</name>\n<version>1</version>\n<purl>pkg:npm/a@1</purl>\n</component>\n</components>\n</bom>\n',
        ),
      },
    ],
    mutate: mutateLines,
    run: ({ bytes }) => checkResult(readSbom(bytes), bytes),
  },
  {
    name: 'vex',
    samples: async () => [
      ...dataFiles('csaf', (path) => /\.json(?:\.gz)?$/.test(path)).map(unpacked),
      {
        path: 'openvex.json',
        bytes: Buffer.from(
          '{"@context":"https://openvex.dev/ns/v0.2.0","@id":"a","author":"b","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:oci/a@sha256%3Aab","subcomponents":[{"@id":"pkg:npm/a@1"}]}],"status":"not_affected","justification":"component_not_present"}]}',
        ),
      },
    ],
    mutate: mutateJson,
    run: ({ bytes }) => checkResult(parseVex(bytes, 'case'), bytes),
  },
  {
    // As a server takes them, in envelopes too.
    name: 'vex-document',
    samples: async () => [
      ...dataFiles('csaf', (path) => /\.json(?:\.gz)?$/.test(path)).map(unpacked),
      {
        path: 'bundle.json',
        bytes: Buffer.from(
          `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"${Buffer.from(
            '{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"ab"}}],"predicate":{"@context":"https://openvex.dev/ns/v0.2.0","author":"b","statements":[{"vulnerability":"CVE-1","products":["pkg:npm/a"],"status":"fixed"}]}}',
          ).toString('base64')}","signatures":[{"sig":"AAAA"}]}}`,
        ),
      },
    ],
    mutate: mutateJson,
    async run({ bytes }) {
      checkResult(await readVexDocument(bytes, 'case'), bytes);
      try {
        let entries = 0;
        for await (const entry of readLargeCsaf(bytes, 'case')) {
          entries += 1;
          if (entries < 1000) checkResult(entry, bytes);
        }
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
      }
    },
  },
  {
    name: 'ticket-reply',
    samples: async () => [
      {
        path: 'reply.json',
        bytes: Buffer.from('{"id":"10000","key":"SEC-24","self":"https://jira.example.com/10000","a":[{"id":7}]}'),
      },
    ],
    mutate: mutateJson,
    run({ bytes }) {
      for (const pointer of ['/key', '/a/0/id', '/__proto__/x', '/a~1b'])
        if (!/^[A-Za-z0-9][A-Za-z0-9._#-]{0,127}$/.test(ticketIn(bytes.toString('utf8'), pointer) ?? 'none'))
          throw new Error('the number of a ticket that is no part of a path');
    },
  },
  {
    name: 'manifest',
    samples: async () => [
      {
        path: 'manifest.json',
        bytes: Buffer.from(
          `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:${'a'.repeat(64)}","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:${'b'.repeat(64)}","size":2,"annotations":{"a":"b"}}]}`,
        ),
      },
    ],
    mutate: mutateJson,
    run({ bytes }) {
      try {
        checkResult(parseManifest(bytes, 'application/vnd.oci.image.manifest.v1+json'), bytes);
      } catch (error) {
        if (!(error instanceof ManifestError)) throw error;
      }
    },
  },
];

const SBOMS = join(import.meta.dirname, '../../src/scanner/sbom-read/testdata');

function sboms(fits: RegExp): Sample[] {
  return readdirSync(SBOMS)
    .filter((name) => fits.test(name))
    .map((path) => ({ path, bytes: readFileSync(join(SBOMS, path)) }))
    .filter(({ bytes }) => bytes.length < 1e6);
}

/** Every reader of foreign bytes. A new one gets a line here, or a sample in `samples.ts` when it is a cataloger. */
export const TARGETS: readonly Target[] = [
  ...layerTargets,
  ...catalogerTargets,
  zipTarget,
  ...feedTargets,
  ...documentTargets,
  ...exceptionTargets,
  ...quarantineTargets,
];
