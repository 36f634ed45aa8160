import { open } from 'node:fs/promises';
import { messageOf } from '../../platform/errors.ts';
import { parseVex, VEX_LIMIT } from './parse.ts';
import type { VexReading } from './types.ts';

/** Reads a VEX file of this machine, see `parseVex`; also a file that cannot be read is a problem, not an error. */
export async function readVexFile(path: string): Promise<VexReading> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > VEX_LIMIT) return { statements: [], problems: [`${path} is larger than ${VEX_LIMIT} bytes`] };
      return parseVex(await handle.readFile(), path);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { statements: [], problems: [`${path} could not be read: ${messageOf(error)}`] };
  }
}
