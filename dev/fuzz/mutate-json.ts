import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** Values that a reader may not expect, as text. */
const VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '[]',
  '{}',
  '[[[[[[[[]]]]]]]]',
  '{"__proto__":{"x":1}}',
  '"pkg:npm/%40a/b@1?x=%ff#.."',
  '"1.0.0-alpha+build"',
  '"9999-99-99T99:99:99Z"',
] as const;

/** Changes JSON token by token: values, names, brackets; deep and long ones; sometimes any bytes. */
export function mutateJson(random: Random, bytes: Buffer, other: Buffer): Buffer {
  if (random.chance(0.2)) return mutateBytes(random, bytes, other);
  let text = bytes.toString('utf8');
  for (let change = 0; change <= random.under(4); change += 1) text = once(random, text);
  return Buffer.from(text);
}

function once(random: Random, text: string): string {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[[\]{}:,]/y;
  const places: { readonly start: number; readonly end: number }[] = [];
  // A window is enough: large documents repeat themselves.
  const from = random.under(Math.max(text.length - 20_000, 1));
  for (let at = from; at < Math.min(text.length, from + 20_000); ) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match) places.push({ start: at, end: token.lastIndex });
    at = match ? token.lastIndex : at + 1;
  }
  if (places.length === 0) return text + random.pick(VALUES);
  const { start, end } = random.pick(places);
  switch (random.under(6)) {
    case 0:
      return text.slice(0, start) + text.slice(end);
    case 1:
      return `${text.slice(0, start)}${'['.repeat(1 + random.under(5000))}${text.slice(start)}`;
    case 2: {
      const another = random.pick(places);
      return text.slice(0, start) + text.slice(another.start, another.end) + text.slice(end);
    }
    case 3:
      return `${text.slice(0, start)}"${'x'.repeat(random.under(100_000))}"${text.slice(end)}`;
    case 4:
      return text.slice(0, start) + text.slice(start, end).repeat(1 + random.under(50)) + text.slice(end);
    default:
      return text.slice(0, start) + random.pick(VALUES) + text.slice(end);
  }
}
