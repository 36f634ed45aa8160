/** A named part of an executable, as the linker laid it out. */
export interface Section {
  /** As the format writes it: `.rodata`, `__const`. Empty where names could not be read. */
  readonly name: string;
  /** Place and length in the file, both inside it. */
  readonly at: number;
  readonly size: number;
  /** Machine code cannot hold texts; everything that is loaded and no code can. */
  readonly holds: 'code' | 'data' | 'other';
}

/** A part of the file that is loaded to an address. */
export interface Segment {
  readonly address: number;
  /** Place and length in the file, both inside it. */
  readonly at: number;
  readonly size: number;
  readonly writable: boolean;
}

/** The plan of one program or shared library. Pure data: contents are read from the file by it. */
export interface Executable {
  readonly format: 'ELF' | 'PE' | 'Mach-O';
  readonly bigEndian: boolean;
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
}

/** What could be read of a file: several programs where it holds one for each processor. */
export interface OpenedExecutable {
  readonly executables: readonly Executable[];
  /** Why not everything could be read. */
  readonly problems: readonly string[];
}

export const NOTHING: OpenedExecutable = { executables: [], problems: [] };

/** The outcome for a file that cannot be understood. */
export function broken(problem: string): OpenedExecutable {
  return { executables: [], problems: [problem] };
}

/** True where a range of bytes lies inside a file of this size. */
export function liesInside(size: number, at: number, length: number): boolean {
  return Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0 && at + length <= size;
}

/** Place in the file of what is loaded to an address, and how many bytes follow it there. */
export function placeOf(
  { segments }: Executable,
  address: number,
): { readonly at: number; readonly size: number } | undefined {
  const segment = segments.find((one) => address >= one.address && address < one.address + one.size);
  if (!segment) return undefined;
  const into = address - segment.address;
  return { at: segment.at + into, size: segment.size - into };
}
