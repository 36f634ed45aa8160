import { readdir, readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** A process as proc(5) tells it. */
interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Processor time so far in ms, that of children that ended included. */
  readonly cpuMs: number;
}

/** A process and all its descendants. */
export async function familyOf(root: number): Promise<readonly Process[]> {
  const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(processOf));
  const family = new Set([root]);
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const one of all) if (one && family.has(one.parent)) family.add(one.pid);
  }
  return all.filter((one) => one !== undefined && family.has(one.pid)) as readonly Process[];
}

async function processOf(name: string): Promise<Process | undefined> {
  // It may be gone meanwhile.
  const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(name), parent: Number(fields[1]), cpuMs: (ticks / TICKS_PER_SECOND) * 1000 };
}
