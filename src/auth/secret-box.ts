import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmod, link, readFile, unlink, writeFile } from 'node:fs/promises';
import { CodedError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';

export class SecretError extends CodedError<'key_invalid' | 'secret_unreadable'> {}

/** Encrypts secrets for storage. */
export interface SecretBox {
  /** Gives text that holds nonce, ciphertext and tag. */
  seal(secret: string): string;
  /** Throws `secret_unreadable` when it was sealed with another key or changed. */
  open(sealed: string): string;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PREFIX = 'v1:';

/** AES-256-GCM under one 32-byte key. */
export function createSecretBox(key: Buffer): SecretBox {
  if (key.length !== KEY_BYTES)
    throw new SecretError(
      'key_invalid',
      `the secret key must be ${KEY_BYTES} bytes, base64; make one with: openssl rand -base64 32`,
    );
  return {
    seal(secret) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      try {
        if (!sealed.startsWith(PREFIX)) throw new Error('unknown form');
        const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64');
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString(
          'utf8',
        );
      } catch (error) {
        throw new SecretError(
          'secret_unreadable',
          'a stored secret cannot be read: BREAKWATER_SECRET_KEY is not the key it was written with',
          { cause: error },
        );
      }
    },
  };
}

/** The key from the configuration (base64), else the one in `path`, made on first use (mode 0600). */
export async function loadSecretKey(configured: string | undefined, path: string): Promise<Buffer> {
  if (configured !== undefined) return Buffer.from(configured, 'base64');
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found !== undefined) return Buffer.from(found.trim(), 'base64');
  // Two processes may start at once: the link succeeds for one, the other reads what is there then.
  const draft = `${path}.${newId()}`;
  await writeFile(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  await chmod(draft, 0o600);
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  return Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
}
