import { describe, expect, it } from 'vitest';
import { regoOf } from '../../../test/support/library-templates.ts';
import { KNOWN_PROGRAMS, REFUSED_PROGRAMS } from './programs.ts';
import { regoFingerprint } from './rego-text.ts';

describe('the programs of the library', () => {
  it.each([...KNOWN_PROGRAMS])('%s is the program it is said to be', (fingerprint, program) => {
    expect(regoFingerprint(regoOf(program))).toBe(fingerprint);
  });

  it('knows none of those it refuses', () => {
    for (const fingerprint of REFUSED_PROGRAMS.keys()) expect(KNOWN_PROGRAMS.has(fingerprint)).toBe(false);
  });
});
