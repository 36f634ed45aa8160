import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it.each([
  ['front/app:1.0', 'front/app:1.0'],
  ['@scope/name', '@scope/name'],
  ['', "''"],
  ['a; rm -rf /', "'a; rm -rf /'"],
  ["it's $(x)", "'it'\\''s $(x)'"],
])('%s is one word of a shell', (text, word) => expect(shellWord(text)).toBe(word));
