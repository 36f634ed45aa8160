import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../platform/errors.ts';
import { writeWholeFile } from '../platform/whole-file.ts';
import { BackupError } from './errors.ts';

const DOCUMENT = 'backup.json';
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** A path inside the backup; it is read from a file, so it must not lead out. */
const path = z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._/-]{1,255}$/);
const file = z.object({ path, digest, size: z.number().int().min(0) });

const document = z.object({
  format: z.literal('breakwater-backup/1'),
  /** Moment of the database, epoch ms. */
  at: z.number().int(),
  /** Version of the program that made it. */
  program: z.string(),
  database: file,
  /** Everything else of the data folder that a server needs again. */
  files: z.array(file).max(10_000),
  /** Absent when the blobs are backed up in another way. */
  blobs: z.object({ count: z.number().int().min(0), bytes: z.number().int().min(0) }).optional(),
  ledger: z.object({ seq: z.number().int(), hash: z.string() }).optional(),
});

export type BackupDocument = z.output<typeof document>;
export type BackupFile = z.output<typeof file>;

/** What a folder says it holds; undefined when there is nothing yet. Throws `BackupError('not_a_backup')`. */
export async function readDocument(folder: string): Promise<BackupDocument | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, DOCUMENT), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return document.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? `${error.issues[0]?.path.join('.')} is wrong` : messageOf(error);
    throw new BackupError(
      'not_a_backup',
      `${join(folder, DOCUMENT)} was not written by this program or was changed: ${why}`,
      { cause: error },
    );
  }
}

/** The same where there must be one. */
export async function requireDocument(folder: string): Promise<BackupDocument> {
  const found = await readDocument(folder);
  if (found) return found;
  throw new BackupError('not_a_backup', `${folder} holds no finished backup: it has no ${DOCUMENT}`);
}

/** From now on the folder holds this backup: whole, or as it was before. */
export async function writeDocument(folder: string, content: BackupDocument): Promise<void> {
  await writeWholeFile(join(folder, DOCUMENT), [`${JSON.stringify(content, null, 2)}\n`], { durable: true });
}
