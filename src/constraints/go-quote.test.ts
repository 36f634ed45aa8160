import { expect, it } from 'vitest';
import { goQuote } from './go-quote.ts';

it.each([
  ['a.io', '"a.io"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\n\t\0\u007f', '"\\n\\t\\x00\\x7f"'],
  ['é 世 😀', '"é 世 😀"'],
  ['\u00a0\u2028\u00ad', '"\\u00a0\\u2028\\u00ad"'],
  ['\u{e0001}', '"\\U000e0001"'],
])('%j', (text, quoted) => expect(goQuote(text)).toBe(quoted));
