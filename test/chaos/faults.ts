import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const COPIED = ['bin', 'dist', 'package.json', 'advisories'];

/** A mistake that nobody notices as long as the server lives. */
interface Fault {
  readonly name: string;
  /** Text of the bundle, which must be there once, and what stands there instead. */
  readonly text: string;
  readonly instead: string;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'commits are gathered and made ten times a second',
    text: 'const statement = prepared(sql);',
    instead: `if (!database.late) {
        database.late = setInterval(() => database.isTransaction && database.exec('commit'), 100);
        database.late.unref();
      }
      if (sql === 'begin' && database.isTransaction) sql = 'select 1';
      if (sql === 'commit') sql = 'select 1';
      const statement = prepared(sql);`,
  },
  {
    name: 'a blob has its row before its file',
    text: 'await moveIntoPlace(path, layout.blob(digest));',
    instead: 'setTimeout(() => void moveIntoPlace(path, layout.blob(digest)), 50);',
  },
];

/** A copy of the built program with that mistake in it; gives what to start. */
export async function buildWithFault(fault: Fault, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of COPIED) await cp(join(CHECKOUT, name), join(folder, name), { recursive: true });
  await symlink(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  const dist = join(folder, 'dist');
  let changed = 0;
  for (const name of await readdir(dist)) {
    const before = await readFile(join(dist, name), 'utf8');
    if (!before.includes(fault.text)) continue;
    changed += before.split(fault.text).length - 1;
    await writeFile(
      join(dist, name),
      before.replace(fault.text, () => fault.instead),
    );
  }
  if (changed !== 1) throw new Error(`"${fault.text}" is in the built program ${changed} times`);
  return join(folder, 'bin/breakwater.mjs');
}
