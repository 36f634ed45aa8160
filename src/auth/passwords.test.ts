import { describe, expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { createPasswordVerifier, hashPassword } from './passwords.ts';

describe('passwords', () => {
  it('are hashed with Argon2id and refused when too short or too long', async () => {
    expect(await hashPassword('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await expect(hashPassword('1234567')).rejects.toMatchObject({ code: 'password_invalid' });
    await expect(hashPassword('ü'.repeat(513))).rejects.toMatchObject({ code: 'password_invalid' });
  });

  it('are remembered for five minutes, and only for the hash they were right for', async () => {
    const clock = fixedClock(0);
    const verifier = createPasswordVerifier({ clock });
    const stored = await hashPassword('correct horse');
    expect(verifier.isRemembered(stored, 'correct horse')).toBe(false);
    expect(await verifier.verify(stored, 'wrong horse')).toBe(false);
    expect(verifier.isRemembered(stored, 'wrong horse')).toBe(false);
    expect(await verifier.verify(stored, 'correct horse')).toBe(true);
    expect(verifier.isRemembered(stored, 'correct horse')).toBe(true);
    expect(verifier.isRemembered(await hashPassword('correct horse'), 'correct horse')).toBe(false);
    clock.advance(300_000);
    expect(verifier.isRemembered(stored, 'correct horse')).toBe(false);
  });

  it('cost as much for nobody as for somebody', async () => {
    const verifier = createPasswordVerifier({ clock: fixedClock(0) });
    const stored = await hashPassword('correct horse');
    await verifier.verify(undefined, 'warm up');
    const time = async (hash: string | undefined) => {
      const start = performance.now();
      for (let round = 0; round < 5; round += 1) await verifier.verify(hash, `wrong ${round}`);
      return performance.now() - start;
    };
    const [nobody, somebody] = [await time(undefined), await time(stored)];
    expect(nobody).toBeGreaterThan(somebody / 3);
    expect(await verifier.verify(undefined, 'correct horse')).toBe(false);
  });
});
