import { rm, stat } from 'node:fs/promises';
import type { AdvisorySource } from '../../model/coverage.ts';
import { type Clock, toRfc3339 } from '../../platform/clock.ts';
import { placeFile } from '../../platform/whole-file.ts';
import { discoverFeeds } from '../feeds/discover.ts';
import { type FeedFile, readFeed } from '../feeds/index.ts';
import { baseOf } from '../matcher/ecosystem.ts';
import { type Accounts, createAccounts, type Problems } from './accounts.ts';
import { leftovers } from './leftovers.ts';
import { readManifest } from './manifest.ts';
import { packDatabase } from './pack.ts';
import { createStaging, type Staging } from './staging.ts';
import { writeDatabase } from './write.ts';

export interface BuildProgress {
  /** `read`: `done` of `total` feed files, now at `file`. `write`: `done` packages written, `total` unknown. */
  readonly phase: 'read' | 'write';
  readonly done: number;
  readonly total?: number;
  readonly file?: string;
  readonly records: number;
}

export interface BuildOptions {
  /** Folder with feed files; subfolders are told apart by layout and content. */
  readonly from: string;
  /** File to write, packed with zstd when its name ends in `.zst`; replaced atomically when the build has succeeded. */
  readonly out: string;
  readonly clock: Clock;
  /** Statement file about completeness; default: `breakwater-feeds.json` in the folder, if any. */
  readonly completeness?: string;
  readonly onProgress?: (progress: BuildProgress) => void;
}

export interface BuildReport {
  readonly path: string;
  readonly version: string;
  readonly builtAt: string;
  readonly bytes: number;
  readonly files: number;
  readonly records: number;
  readonly packages: number;
  readonly statements: number;
  readonly vulnerabilities: number;
  readonly sources: readonly AdvisorySource[];
  readonly problems: Problems;
}

const REPORT_EVERY = 1000;

/**
 * Builds an advisory database file from a folder of feeds, streaming: memory does not grow with the feeds.
 * Bad records are counted in the report; a feed file that cannot be read at all fails the build with `FeedError`, a bad
 * statement file with `AdvisoryDatabaseError`. On failure `out` is untouched.
 */
export async function buildAdvisoryDatabase(options: BuildOptions): Promise<BuildReport> {
  const { from, out, clock, onProgress = () => undefined } = options;
  const manifest = await readManifest(from, options.completeness);
  const excluded = new Set(manifest.exclude.map(({ ecosystem }) => ecosystem));
  const files = (await discoverFeeds(from)).filter(({ ecosystem }) => !excluded.has(ecosystem ?? ''));
  const builtAt = toRfc3339(clock.now());
  const accounts = createAccounts(manifest, clock.now());
  const [stagingPath, partPath] = leftovers(out);
  await Promise.all([rm(stagingPath, { force: true }), rm(partPath, { force: true })]);
  try {
    const staging = createStaging(stagingPath);
    try {
      await readAll(files, excluded, staging, accounts, onProgress);
    } finally {
      staging.finish();
    }
    const sources = accounts.sources();
    const written = writeDatabase(partPath, stagingPath, sources, builtAt, (done) => {
      if (done % REPORT_EVERY === 0) onProgress({ phase: 'write', done, records: accounts.records });
    });
    await finish(partPath, out);
    const { size: bytes } = await stat(out);
    const { records } = accounts;
    return {
      path: out,
      builtAt,
      bytes,
      files: files.length,
      records,
      sources,
      problems: accounts.problems(),
      ...written,
    };
  } finally {
    await Promise.all([rm(stagingPath, { force: true }), rm(partPath, { force: true })]);
  }
}

async function readAll(
  files: readonly FeedFile[],
  excluded: ReadonlySet<string>,
  staging: Staging,
  accounts: Accounts,
  onProgress: (progress: BuildProgress) => void,
): Promise<void> {
  for (const [done, file] of files.entries()) {
    const report = (): void =>
      onProgress({ phase: 'read', done, total: files.length, file: file.path, records: accounts.records });
    report();
    let count = 0;
    for await (const record of readFeed(file)) {
      accounts.add(record);
      for (const fact of record.facts) {
        if (fact.kind === 'statement' && excluded.has(baseOf(fact.ecosystem))) continue;
        staging.add(fact, record.feed, record.modified ?? '');
      }
      count += 1;
      if (count % REPORT_EVERY === 0) report();
    }
  }
}

async function finish(part: string, out: string): Promise<void> {
  if (!out.endsWith('.zst')) return placeFile(part, out);
  const packed = `${out}.packed`;
  try {
    await packDatabase(part, packed);
    await placeFile(packed, out);
  } finally {
    await rm(packed, { force: true });
  }
}
