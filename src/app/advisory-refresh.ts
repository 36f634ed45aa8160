import { randomInt } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { listed } from '../platform/listed.ts';
import type { Logger } from '../platform/logger.ts';
import { buildApart } from '../scanner/advisories/build-apart.ts';
import { stateFetched } from '../scanner/advisories/state-fetched.ts';
import type { AdvisoryInstallation, AdvisoryStore } from '../scanner/advisories/types.ts';
import { fetchFeeds } from '../scanner/feeds/fetch/index.ts';
import { parseMirrors } from '../scanner/feeds/fetch/mirrors.ts';

const HOUR_MS = 3_600_000;
/** The first time comes within this: servers that were started together do not ask together. */
const FIRST_MS = 15 * 60_000;
const USUAL = 'usual';

interface Deps {
  readonly config: Pick<Config, 'advisoryMirrors' | 'advisoryRefreshHours' | 'advisorySources' | 'dataDir'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly http: HttpClient;
  readonly advisories: AdvisoryStore;
  /** Told of each database that came of it. */
  readonly onInstalled: (installation: AdvisoryInstallation) => Promise<void>;
}

export interface AdvisoryRefresh {
  /** Fetches, builds and installs once; gives whether another database is in use now. Throws what keeps it from that. */
  run(): Promise<boolean>;
  /** Begins to do so again and again, at times that chance moves by a quarter. Does nothing when no sources are configured. */
  start(): void;
  close(): Promise<void>;
}

/**
 * Keeps the advisories of a server up to date from the sources in its configuration, and from nowhere else. Whatever fails, the
 * database in use stays in use.
 */
export function createAdvisoryRefresh(deps: Deps): AdvisoryRefresh {
  const { config, clock, logger, http, advisories } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  const folder = join(config.dataDir, 'feeds');
  const out = join(folder, 'built', 'advisories.sqlite');
  /** There when everything that was fetched is in the database. */
  const done = join(folder, 'built', 'done');
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<boolean> {
    const named = listed(config.advisorySources ?? '');
    const reports = await fetchFeeds({
      http,
      to: folder,
      sources: named.filter((name) => name !== USUAL),
      mirrors: parseMirrors((config.advisoryMirrors ?? '').split(',').filter((text) => text.trim() !== '')),
      now: clock.now(),
      signal,
      onReport(report) {
        logger[report.ok ? 'info' : 'warn'](report, 'advisory source');
        if (report.ok && report.changed) rmSync(done, { force: true });
      },
    });
    await stateFetched(folder, reports, clock.now());
    if (existsSync(done) && advisories.current() !== undefined) return false;
    await mkdir(join(folder, 'built'), { recursive: true });
    try {
      await buildApart({ from: folder, out, clock }, signal);
      const installation = await advisories.importFile(out);
      await writeFile(done, `${installation.database.version}\n`);
      if (installation.changed) await deps.onInstalled(installation);
      return installation.changed;
    } finally {
      await rm(out, { force: true });
    }
  }

  async function runAndPlan(): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'the advisories could not be brought up to date');
    }
    const period = config.advisoryRefreshHours * HOUR_MS;
    if (!signal.aborted) plan(randomInt(Math.floor(period * 0.75), Math.ceil(period * 1.25)));
  }

  function plan(delay: number): void {
    timer = setTimeout(() => {
      running = runAndPlan();
    }, delay);
    timer.unref();
  }

  return {
    run,
    start() {
      if (config.advisorySources !== undefined) plan(randomInt(FIRST_MS));
    },
    async close() {
      clearTimeout(timer);
      ending.abort();
      await running;
    },
  };
}
