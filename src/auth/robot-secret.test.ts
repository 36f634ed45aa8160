import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formOfRobotSecret, hashRobotSecret, newRobotSecret } from './robot-secret.ts';
import { createSecretBox } from './secret-box.ts';

it('makes secrets that differ and are found by their form', () => {
  const made = Array.from({ length: 200 }, newRobotSecret);
  expect(new Set(made).size).toBe(200);
  for (const secret of made) {
    expect(secret).toMatch(/^bwr_[0-9A-Za-z]{42}$/);
    expect(formOfRobotSecret(secret)).toBe('whole');
  }
});

it('tells what was mistyped from what is something else', () => {
  const secret = newRobotSecret();
  expect(formOfRobotSecret('correct horse')).toBe('other');
  expect(formOfRobotSecret('')).toBe('other');
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: secret.length - 1 }),
      fc.constantFrom('0', 'a', 'Z', '_', ' ', '\n'),
      (at, letter) => {
        const changed = `${secret.slice(0, at)}${letter}${secret.slice(at + 1)}`;
        expect(formOfRobotSecret(changed)).toBe(changed === secret ? 'whole' : 'mistyped');
        expect(formOfRobotSecret(secret.slice(0, at))).toBe('mistyped');
      },
    ),
  );
  expect(formOfRobotSecret(`${secret} `)).toBe('mistyped');
});

it('keeps a hash that says nothing without the key', () => {
  const [box, other] = [createSecretBox(Buffer.alloc(32, 1)), createSecretBox(Buffer.alloc(32, 2))];
  const secret = newRobotSecret();
  expect(hashRobotSecret(box, secret)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(hashRobotSecret(box, secret)).toBe(hashRobotSecret(box, secret));
  expect(hashRobotSecret(other, secret)).not.toBe(hashRobotSecret(box, secret));
  expect(box.mac(secret, 'something else')).not.toBe(hashRobotSecret(box, secret));
});
