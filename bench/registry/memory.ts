import { readFile } from 'node:fs/promises';
import { familyOf } from '../processes.ts';

/** Resident memory of a process and all its descendants in MB (proc(5)). */
export async function residentMB(root: number): Promise<number> {
  let kilobytes = 0;
  for (const { pid } of await familyOf(root)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}
