import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { streamCsafDocument } from '../../src/scanner/feeds/csaf/stream.ts';
import { FeedError } from '../../src/scanner/feeds/errors.ts';
import { type FeedFile, readFeed } from '../../src/scanner/feeds/index.ts';
import { makeZip } from '../../src/scanner/zip/make-zip.testing.ts';
import { makeTar } from '../../test/support/tar.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateLines } from './mutate-lines.ts';
import { mutateTar } from './mutate-tar.ts';
import { dataFiles, pieces, unpacked } from './samples.ts';
import { checkResult, type Sample, type Target } from './target.ts';

const LARGEST = 3e6;

interface FeedOptions {
  readonly kind: FeedFile['kind'];
  readonly samples: () => readonly Sample[];
  readonly mutate: Target['mutate'];
  /** Name of the file a case becomes; the sample's own when absent. */
  readonly file?: string;
  /** The feed is the folder of the file, not the file. */
  readonly isFolder?: boolean;
}

function feedTarget(name: string, { kind, samples, mutate, file, isFolder }: FeedOptions): Target {
  return {
    name: `feed-${name}`,
    samples: async () => samples().filter(({ bytes }) => bytes.length < LARGEST),
    mutate,
    run: ({ path, bytes }) => readCase(kind, join(tmpdir(), 'feed', file ?? basename(path)), { bytes, isFolder }),
  };
}

async function readCase(
  kind: FeedFile['kind'],
  file: string,
  { bytes, isFolder = false }: { readonly bytes: Buffer; readonly isFolder: boolean | undefined },
): Promise<void> {
  const folder = dirname(file);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, bytes);
  try {
    let records = 0;
    for await (const record of readFeed({ kind, path: isFolder ? folder : file, ecosystem: 'npm' })) {
      records += 1;
      if (records % 1000 === 1) checkResult(record, bytes);
    }
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
  }
}

/** Sometimes packed, and what is packed changed too. */
function packed(mutate: Target['mutate']): Target['mutate'] {
  return (random, bytes, other) => {
    const mutated = mutate(random, bytes, other);
    return random.chance(0.3) ? mutateBytes(random, gzipSync(mutated, { level: 1 }), other) : mutated;
  };
}

const given =
  (folder: string, fits: RegExp): (() => readonly Sample[]) =>
  () =>
    dataFiles(folder, (path) => fits.test(path)).map(unpacked);

const csaf = given('csaf', /\.json(?:\.gz)?$/);
const cves = given('cvelist', /CVE-[^/]*\.json$/);

/** Documents as an archive has them, in folders by year. */
const csafArchives = (): readonly Sample[] => {
  const small = csaf().filter(({ bytes }) => bytes.length < 200_000);
  const items = small.map(({ path, bytes }) => ({ name: `2026/${basename(path)}`, content: bytes }));
  return items.length === 0 ? [] : [{ path: 'csaf.tar', bytes: makeTar(items) }];
};

/** An archive of records, and that in an archive, as it is published daily. */
const cveArchives = (): readonly Sample[] => {
  const items = cves().map(({ path, bytes }) => ({ name: `cves/2026/${basename(path)}`, content: bytes }));
  if (items.length === 0) return [];
  const inner = makeZip(items);
  return [
    { path: 'cves.zip', bytes: inner },
    { path: 'cves.zip', bytes: makeZip([{ name: 'cves.zip', content: inner, stored: true }]) },
  ];
};

/** Every feed, and every form it comes in. */
export const feedTargets: readonly Target[] = [
  feedTarget('osv', {
    kind: 'osv',
    samples: () => dataFiles('osv', (path) => path.endsWith('.zip')),
    mutate: mutateBytes,
  }),
  feedTarget('secdb', { kind: 'secdb', samples: given('secdb', /\.json(?:\.gz)?$/), mutate: mutateJson }),
  feedTarget('debian-tracker', {
    kind: 'debian-tracker',
    samples: given('debian-tracker', /\.json$/),
    mutate: packed(mutateJson),
  }),
  feedTarget('csaf', { kind: 'csaf', samples: csaf, mutate: mutateJson, file: 'cve-2026-0001.json', isFolder: true }),
  feedTarget('csaf-archive', {
    kind: 'csaf',
    samples: csafArchives,
    mutate: (random, bytes, other) => {
      const mutated = random.chance(0.5) ? mutateJson(random, bytes, other) : mutateTar(random, bytes, other);
      if (random.chance(0.6)) return mutated;
      return random.chance(0.5) ? gzipSync(mutated, { level: 1 }) : zstdCompressSync(mutated);
    },
    file: 'csaf.tar',
  }),
  {
    // Read so when they are large.
    name: 'feed-csaf-stream',
    samples: async () => csaf().filter(({ bytes }) => bytes.length < LARGEST),
    mutate: mutateJson,
    run: async ({ bytes }) => checkResult(await streamCsafDocument(pieces(bytes, 10_000), 'case'), bytes),
  },
  feedTarget('cvelist', {
    kind: 'cvelist',
    samples: cves,
    mutate: mutateJson,
    file: 'CVE-2026-0001.json',
    isFolder: true,
  }),
  feedTarget('cvelist-archive', { kind: 'cvelist', samples: cveArchives, mutate: mutateBytes }),
  feedTarget('nvd', { kind: 'nvd', samples: given('nvd', /\.json(?:\.gz)?$/), mutate: packed(mutateJson) }),
  feedTarget('kev', { kind: 'kev', samples: given('kev', /\.json(?:\.gz)?$/), mutate: mutateJson }),
  feedTarget('epss', { kind: 'epss', samples: given('epss', /\.csv(?:\.gz)?$/), mutate: packed(mutateLines) }),
];
