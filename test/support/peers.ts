import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** Folder of the programs that `dev/peers/peers` builds. */
const peersFolder: string = join(process.env['PEERS_DIR'] ?? join(homedir(), '.cache/breakwater-peers'), 'bin');

const SYSTEM_FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Where a peer's program is: built by `dev/peers/peers`, else installed on this machine; undefined when it is nowhere. */
export function findPeer(program: string): string | undefined {
  return [peersFolder, ...SYSTEM_FOLDERS].map((folder) => resolve(folder, program)).find(isExecutable);
}

/** Where a peer's program is. Throws when it is not there, naming both ways out. */
export function requirePeer(program: string): string {
  const path = findPeer(program);
  if (path === undefined)
    throw new Error(
      `${program} is not here: build it with dev/peers/peers (see dev/peers/peers list), ` +
        `or leave its tests out with BREAKWATER_LEAVE_OUT=${program}`,
    );
  return path;
}

/** True when whoever started the tests said to leave this out; for `describe.skipIf`. Nothing else skips a peer's test. */
export function isLeftOut(name: string): boolean {
  return (process.env['BREAKWATER_LEAVE_OUT'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .includes(name);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
