import type { FileView } from '../file-view.ts';
import { openElf } from './elf.ts';
import { NOTHING, type OpenedExecutable } from './executable.ts';
import { isFat, isMachO, openMachO } from './mach-o.ts';
import { openPe } from './pe.ts';

const ELF = Buffer.from('\x7fELF', 'latin1');
/** Where packers leave their mark: behind the headers. */
const PACKED_WITHIN = 2048;

/** True for the first bytes (8 at least) of a program or shared library: ELF, PE or Mach-O. */
export function isExecutable(head: Buffer): boolean {
  return isElf(head) || isPe(head) || isMachO(head) || isFat(head);
}

/**
 * Reads the plan of a program or library, headers only. Never throws. One that is packed (UPX) is a problem: what it was
 * built from cannot be seen.
 */
export function openExecutable(file: FileView): OpenedExecutable {
  const head = file.read(0, PACKED_WITHIN);
  const opened = isElf(head) ? openElf(file) : isPe(head) ? openPe(file) : openOther(head, file);
  const packed = head.includes('UPX!') || opened.executables.some(hasPackedSections);
  if (!packed) return opened;
  return { executables: [], problems: ['it is packed with UPX: what it was built from cannot be read'] };
}

function openOther(head: Buffer, file: FileView): OpenedExecutable {
  return isMachO(head) || isFat(head) ? openMachO(file) : NOTHING;
}

function hasPackedSections({ sections }: OpenedExecutable['executables'][number]): boolean {
  return sections.some(({ name }) => name === 'UPX1');
}

function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.subarray(0, 4).equals(ELF);
}

function isPe(head: Buffer): boolean {
  return head[0] === 0x4d && head[1] === 0x5a;
}
