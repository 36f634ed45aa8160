import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

const LINES = [
  '',
  ' ',
  '\t',
  ':',
  'P:',
  'V:\0',
  'Package: ',
  'Version: 1\u0085',
  '\ufeff',
  '%',
  '%NAME%',
  '<a',
  ']]>',
  '<!DOCTYPE a>',
  '&#x0;',
];

/** Changes a text line by line: doubled, moved, cut, joined, very long; sometimes any bytes. */
export function mutateLines(random: Random, bytes: Buffer, other: Buffer): Buffer {
  if (random.chance(0.3)) return mutateBytes(random, bytes, other);
  const lines = bytes.toString('latin1').split('\n');
  for (let change = 0; change <= random.under(6); change += 1) {
    const at = random.under(lines.length);
    const line = lines[at] ?? '';
    switch (random.under(6)) {
      case 0:
        lines.splice(at, 1 + random.under(3));
        break;
      case 1:
        lines.splice(at, 0, ...Array<string>(1 + random.under(20)).fill(line));
        break;
      case 2:
        lines[at] = line.slice(0, random.under(line.length + 1));
        break;
      case 3:
        lines[at] = line + (lines[random.under(lines.length)] ?? '');
        break;
      case 4:
        lines[at] = line + random.pick([' ', ':', 'a', '\\', '(', '\xff']).repeat(random.under(50_000));
        break;
      default:
        lines[at] = random.pick(LINES);
    }
  }
  return Buffer.from(lines.join(random.chance(0.1) ? '\r\n' : '\n'), 'latin1');
}
