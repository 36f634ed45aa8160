import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { writeWholeFile } from '../../platform/whole-file.ts';
import { openAdvisoryDatabase } from './database.ts';
import { AdvisoryDatabaseError } from './errors.ts';
import type { AdvisoryDatabase, AdvisoryInstallation, AdvisoryStore } from './types.ts';
import { unpackVerified } from './unpack-apart.ts';

/** Versions kept on disk: the current one and what one may want to go back to. */
const KEPT = 3;
const CURRENT = 'current';

/**
 * The folder of installed advisory databases: `<hash>.sqlite` files and a pointer named `current`. A file is verified before
 * it is moved into place and the pointer is replaced by rename, so that a crash leaves the old or the new database, never
 * half of one. The database that was current before stays open until the next change, for whoever is still reading it.
 */
export function createAdvisoryStore({ dir, clock }: { dir: string; clock: Clock }): AdvisoryStore {
  mkdirSync(dir, { recursive: true });
  const listeners = new Set<(installation: AdvisoryInstallation) => void>();
  let current = openCurrent(dir);
  let previous: AdvisoryDatabase | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  function swap(version: string): AdvisoryInstallation {
    if (current?.version === version) return { database: current, changed: false };
    const database = openAdvisoryDatabase(join(dir, fileName(version)));
    previous?.close();
    previous = current;
    current = database;
    return { database, changed: true, ...(previous === undefined ? {} : { previous }) };
  }

  async function importFile(path: string, name: string): Promise<AdvisoryInstallation> {
    const part = join(dir, `import-${process.pid}-${clock.now()}.part`);
    try {
      const version = await place(path, name, { part, dir });
      await writeWholeFile(join(dir, CURRENT), [`${version}\n`], { durable: true });
      const installation = swap(version);
      if (installation.changed) for (const listener of listeners) listener(installation);
      await removeOld(dir, [current, previous]);
      return installation;
    } finally {
      await rm(part, { force: true });
    }
  }

  return {
    current: () => current,
    importFile(path, name = path) {
      const done = queue.then(() => importFile(path, name));
      queue = done.catch(() => undefined);
      return done;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    close() {
      current?.close();
      previous?.close();
      current = undefined;
      previous = undefined;
    },
  };
}

/** Copies (and unpacks) a file into the folder, verifies the copy and names it by its version. */
async function place(path: string, name: string, { part, dir }: { part: string; dir: string }): Promise<string> {
  const version = await unpackVerified({ from: path, to: part, name });
  const target = join(dir, fileName(version));
  // An open file of that name is the same content: leave it alone.
  if (!existsSync(target)) await rename(part, target);
  return version;
}

/** A pointer to a file that is gone or of an older schema counts as no database: a new one has to be installed. */
function openCurrent(dir: string): AdvisoryDatabase | undefined {
  const pointer = join(dir, CURRENT);
  if (!existsSync(pointer)) return undefined;
  try {
    return openAdvisoryDatabase(join(dir, fileName(readFileSync(pointer, 'utf8').trim())));
  } catch (error) {
    if (!(error instanceof AdvisoryDatabaseError)) throw error;
    rmSync(pointer);
    return undefined;
  }
}

async function removeOld(dir: string, open: readonly (AdvisoryDatabase | undefined)[]): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sqlite'));
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(dir, name), changed: (await stat(join(dir, name))).mtimeMs })),
  );
  const spare = files
    .sort((a, b) => b.changed - a.changed)
    .filter(({ path }) => !open.some((database) => database?.path === path));
  const inUse = files.length - spare.length;
  for (const { path } of spare.slice(Math.max(0, KEPT - inUse))) await rm(path, { force: true });
}

function fileName(version: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(version)?.[1];
  if (hex === undefined)
    throw new AdvisoryDatabaseError('damaged', `${JSON.stringify(version)} is no database version`);
  return `${hex}.sqlite`;
}
