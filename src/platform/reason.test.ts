import { describe, expect, it } from 'vitest';
import { reasonProblem } from './reason.ts';

describe('a reason', () => {
  it.each(['not reachable', 'größer, 漏洞, «CVE-2024-1»', 'x'.repeat(50)])('may be %j', (text) => {
    expect(reasonProblem(text, 50)).toBeUndefined();
  });

  it.each([
    ['', 'say why'],
    [' \t', 'say why'],
    ['x'.repeat(51), 'the reason has 51 characters'],
    ['a\nb', 'one line'],
    ['a\r\nBcc: eve@example.com', 'one line'],
    ['a\u001b[2J', 'one line'],
    ['a\u202eb', 'one line'],
    ['a\u2028b', 'one line'],
    ['a\0b', 'one line'],
  ])('cannot be %j', (text, problem) => {
    expect(reasonProblem(text, 50)).toContain(problem);
  });
});
