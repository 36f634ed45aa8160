import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openSnapshot, type Snapshot } from '../db/snapshot.ts';
import { GENESIS, hashEntry } from '../ledger/chain.ts';
import { readLedger } from '../ledger/ledger.ts';
import { algorithmOf, type Digest, digestFrom } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import { forEachOf } from '../platform/parallel.ts';
import { blobRows } from './blob-rows.ts';
import { type BackupDocument, requireDocument } from './document.ts';
import { describeFile } from './files.ts';
import { readBlob } from './read-blob.ts';

export interface VerifiedBackup {
  readonly document: BackupDocument;
  readonly blobs: number;
  readonly bytes: number;
  readonly ledgerLines: number;
  /** Empty when the backup can be restored whole. */
  readonly problems: readonly string[];
}

const AT_ONCE = 2;
const LINES = 1000;

/**
 * Reads every byte of a backup: files against the digests written down, the database by its own check, each blob that a row names against
 * its digest, the ledger line by line along its chain. Throws `BackupError('not_a_backup')`.
 */
export async function verifyBackup(folder: string): Promise<VerifiedBackup> {
  const document = await requireDocument(folder);
  const problems = await checkFiles(folder, document);
  const found = { blobs: 0, bytes: 0, ledgerLines: 0 };
  const snapshot = openSnapshot(join(folder, document.database.path));
  try {
    problems.push(...(await snapshot.faults()).map((fault) => `the database is damaged: ${fault}`));
    const ledger = await checkLedger(snapshot, document);
    problems.push(...ledger.problems);
    found.ledgerLines = ledger.lines;
    if (document.blobs) {
      await forEachOf(blobRows(snapshot.db), AT_ONCE, async ({ digest, size }) => {
        const problem = await checkBlob(folder, digest, size);
        if (problem !== undefined) problems.push(problem);
        found.blobs += 1;
        found.bytes += size;
      });
    }
  } catch (error) {
    problems.push(`the database cannot be read: ${messageOf(error)}`);
  } finally {
    await snapshot.close();
  }
  return { document, ...found, problems };
}

/** The files of a backup that are not as they were written. */
export async function checkFiles(folder: string, { database, files }: BackupDocument): Promise<string[]> {
  const problems: string[] = [];
  for (const file of [database, ...files]) {
    const actual = await describeFile(folder, file.path).catch(() => undefined);
    if (!actual) problems.push(`${file.path} is missing or cannot be read`);
    else if (actual.digest !== file.digest) problems.push(`${file.path} was changed or is damaged`);
  }
  return problems;
}

async function checkBlob(folder: string, digest: Digest, size: number): Promise<string | undefined> {
  const algorithm = algorithmOf(digest);
  try {
    const content = await readBlob(folder, digest);
    if (!content) return `the blob ${digest} is missing`;
    const hash = createHash(algorithm);
    let read = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      read += chunk.byteLength;
    }
    if (digestFrom(algorithm, hash) === digest && read === size) return undefined;
    return `the blob ${digest} is damaged`;
  } catch (error) {
    return `the blob ${digest} cannot be read: ${messageOf(error)}`;
  }
}

async function checkLedger({ db }: Snapshot, { ledger: head }: BackupDocument) {
  const ledger = readLedger(db);
  const problems: string[] = [];
  let last = { seq: 0, hash: GENESIS };
  for (;;) {
    const lines = await ledger.list({ after: last.seq, limit: LINES });
    for (const line of lines) {
      const follows = line.seq === last.seq + 1 && line.previousHash === last.hash && hashEntry(line) === line.hash;
      if (!follows) problems.push(`line ${line.seq} of the ledger was changed or does not follow the one before`);
      last = { seq: line.seq, hash: line.hash };
    }
    if (lines.length < LINES) break;
  }
  if (last.seq !== (head?.seq ?? 0) || last.hash !== (head?.hash ?? GENESIS))
    problems.push(`the ledger ends with line ${last.seq}, not with ${head?.seq ?? 0} as the backup says`);
  return { problems, lines: last.seq };
}
