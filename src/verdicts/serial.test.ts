import { describe, expect, it } from 'vitest';
import { createSerial } from './serial.ts';

describe('serial', () => {
  it('runs tasks of one key in order, of others at once, and goes on after a failure', async () => {
    const serial = createSerial();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const failing = serial.run('a', async () => {
      await first.promise;
      log.push('a1');
      throw new Error('no');
    });
    const second = serial.run('a', async () => log.push('a2'));
    await serial.run('b', async () => log.push('b'));
    expect(log).toEqual(['b']);
    first.resolve();
    await expect(failing).rejects.toThrow('no');
    await second;
    expect(log).toEqual(['b', 'a1', 'a2']);
  });
});
