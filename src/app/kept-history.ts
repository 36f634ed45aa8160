import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AdmissionHistory, createAdmissionHistory } from '../admission/admission-history.ts';
import { messageOf } from '../platform/errors.ts';
import { jsonOf } from '../platform/json-object.ts';
import type { Logger } from '../platform/logger.ts';
import { writeWholeFile } from '../platform/whole-file.ts';

export interface KeptHistory {
  readonly history: AdmissionHistory;
  /** Writes a last time. */
  stop(): Promise<void>;
}

/** What ran most recently; a restarted guard knows that much of before. */
export const MOST_SIGHTINGS_KEPT = 20_000;
const FILE = 'guard-history.json';
const EVERY_MS = 30_000;

/**
 * What earlier admissions mean for later ones, kept in the data folder of a server that follows a cluster by itself: guards
 * with replicas keep it in the cluster. A damaged file counts as none; what cannot be written is tried again.
 */
export async function openKeptHistory(
  folder: string,
  { logger, most }: { readonly logger: Logger; readonly most: number },
  everyMs = EVERY_MS,
): Promise<KeptHistory> {
  const path = join(folder, FILE);
  const history = createAdmissionHistory();
  let written = await readFile(path, 'utf8').catch(() => '');
  history.load(jsonOf(written));

  async function write(): Promise<void> {
    const text = JSON.stringify(history.save(most));
    if (text === written) return;
    try {
      await writeWholeFile(path, [text]);
      written = text;
    } catch (error) {
      logger.warn({ problem: messageOf(error) }, 'what ran could not be written down');
    }
  }

  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(write);
  }, everyMs);
  timer.unref();
  return {
    history,
    async stop() {
      clearInterval(timer);
      await last.then(write);
    },
  };
}
