import { open } from 'node:fs/promises';

/** Makes a file durable, or the entries of a folder: a new name survives a power cut only when its folder was synced too. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
