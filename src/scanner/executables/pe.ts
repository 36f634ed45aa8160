import type { FileView } from '../file-view.ts';
import { broken, liesInside, NOTHING, type OpenedExecutable } from './executable.ts';
import { fieldsOf } from './fields.ts';

/** What Windows loads at most. */
const MOST_SECTIONS = 96;
const SECTION_SIZE = 40;
const [CODE, INITIALISED, EXECUTE, WRITE] = [0x20, 0x40, 0x2000_0000, 0x8000_0000];

/** Reads the plan of a Windows program or library (Microsoft's PE format, COFF file header and section table). */
export function openPe(file: FileView): OpenedExecutable {
  const order = { bigEndian: false, wide: false };
  const at = fieldsOf(file.read(0, 64), order).u32(0x3c);
  // Programs of DOS begin with the same two letters.
  if (at === 0 || !liesInside(file.size, at, 24)) return NOTHING;
  const head = file.read(at, 24);
  if (head.toString('latin1', 0, 4) !== 'PE\0\0') return NOTHING;
  const { u16 } = fieldsOf(head, order);
  const [count, optionalSize] = [u16(6), u16(20)];
  if (count > MOST_SECTIONS) return broken('it has more PE sections than Windows loads');
  const optional = fieldsOf(file.read(at + 24, Math.min(optionalSize, 32)), order);
  const base = optional.u16(0) === 0x20b ? optional.u64(24) : optional.u32(28);
  const table = file.read(at + 24 + optionalSize, count * SECTION_SIZE);
  if (table.length < count * SECTION_SIZE) return broken('its PE section table lies outside the file');

  const records = Array.from({ length: count }, (_, number) => {
    const { u32, text } = fieldsOf(table.subarray(number * SECTION_SIZE, (number + 1) * SECTION_SIZE), order);
    return { name: text(0, 8), address: base + u32(12), size: u32(16), at: u32(20), flags: u32(36) };
  }).filter(({ size }) => size > 0);
  const inside = records.filter((one) => liesInside(file.size, one.at, one.size));
  const lost = records.length - inside.length;
  return {
    executables: [
      {
        format: 'PE',
        bigEndian: false,
        sections: inside.map(({ name, at: where, size, flags }) => ({ name, at: where, size, holds: kindOf(flags) })),
        segments: inside.map(({ address, at: where, size, flags }) => ({
          address,
          at: where,
          size,
          writable: (flags & WRITE) !== 0,
        })),
      },
    ],
    problems: lost > 0 ? [`${lost} of its PE sections lie outside the file`] : [],
  };
}

function kindOf(flags: number): 'code' | 'data' | 'other' {
  if (flags & (CODE | EXECUTE)) return 'code';
  return flags & INITIALISED ? 'data' : 'other';
}
