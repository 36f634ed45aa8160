import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { SecretBox } from './secret-box.ts';

/** Begins every secret of a robot, so that scanners for leaked secrets find it. */
const PREFIX = 'bwr_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 36;
const CHECK_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECK_LENGTH}}$`);

/** A new secret: `bwr_`, 36 random letters and digits (214 bits), and a check sum of both in 6 more. */
export function newRobotSecret(): string {
  const text = PREFIX + Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return text + checkOf(text);
}

/**
 * Whether this can be a secret of a robot at all: `mistyped` when it has the beginning of one, but was cut off or changed on its
 * way. Says nothing about whether it counts, so it may be told to whoever sent it.
 */
export function formOfRobotSecret(text: string): 'whole' | 'mistyped' | 'other' {
  if (!text.startsWith(PREFIX)) return 'other';
  const body = text.slice(0, -CHECK_LENGTH);
  return FORM.test(text) && text.endsWith(checkOf(body)) ? 'whole' : 'mistyped';
}

/**
 * What is kept of a secret. It is random and long, so nobody finds it by trying, and a slow hash would only slow down machines that log
 * in all day: one HMAC-SHA256, microseconds. Its key is derived from the installation's, so a stolen database alone
 * cannot even tell whether a secret found elsewhere belongs here.
 */
export function hashRobotSecret(box: Pick<SecretBox, 'mac'>, secret: string): string {
  return box.mac(secret, 'robot-secret');
}

/** CRC-32 in six digits of base 62. */
function checkOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let at = 0; at < CHECK_LENGTH; at += 1) {
    digits = `${ALPHABET[rest % ALPHABET.length]}${digits}`;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
