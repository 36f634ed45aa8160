import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../platform/ids.ts';
import { syncPath } from '../platform/sync-path.ts';
import { AuthError } from './errors.ts';

/** Encrypts secrets at rest. `context` says what the secret is for; it opens with the same context only. */
export interface SecretBox {
  seal(text: string, context: string): string;
  /** Throws `AuthError('secret_unreadable')` when the key is another one, or the text was changed or moved. */
  open(sealed: string, context: string): string;
  /** A keyed hash (HMAC-SHA256, URL-safe base64) under a key of its own for each context. */
  mac(text: string, context: string): string;
}

const ALGORITHM = 'aes-256-gcm';
const PREFIX = 'v1.';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_FILE = 'secret.key';

/** AES-256-GCM under a key of 32 bytes. */
export function createSecretBox(key: Uint8Array): SecretBox {
  if (key.byteLength !== KEY_BYTES)
    throw new AuthError('key_invalid', `the secret key has ${key.byteLength} bytes instead of ${KEY_BYTES}`);
  const macKeys = new Map<string, Buffer>();
  function macKey(context: string): Buffer {
    const known = macKeys.get(context);
    if (known) return known;
    const derived = Buffer.from(hkdfSync('sha256', key, '', `breakwater/mac/${context}`, KEY_BYTES));
    macKeys.set(context, derived);
    return derived;
  }
  return {
    mac: (text, context) => createHmac('sha256', macKey(context)).update(text).digest('base64url'),
    seal(text, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return PREFIX + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, context) {
      try {
        if (!sealed.startsWith(PREFIX)) throw new Error('unknown form');
        const text = sealed.slice(PREFIX.length);
        const bytes = Buffer.from(text, 'base64url');
        // Base64 can say the same bytes in several ways; only what `seal` wrote is taken.
        if (bytes.toString('base64url') !== text) throw new Error('not canonical');
        const tagEnd = IV_BYTES + TAG_BYTES;
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(IV_BYTES, tagEnd));
        return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new AuthError(
          'secret_unreadable',
          `the stored secret "${context}" cannot be decrypted: BREAKWATER_SECRET_KEY or the key file in the data folder is not the one it was encrypted with`,
          { cause },
        );
      }
    },
  };
}

/**
 * Opens the box with the configured key (32 bytes in base64), else with the one in the data folder, which is made on the
 * first start, readable by its owner only. Throws `AuthError('key_invalid')`.
 */
export async function openSecretBox(options: {
  readonly dataDir: string;
  readonly key?: string | undefined;
}): Promise<SecretBox> {
  if (options.key !== undefined) return createSecretBox(decodeKey(options.key, 'BREAKWATER_SECRET_KEY'));
  const path = join(options.dataDir, KEY_FILE);
  const text = (await readIfThere(path)) ?? (await makeKeyFile(options.dataDir, path));
  return createSecretBox(decodeKey(text, path));
}

function decodeKey(text: string, origin: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.byteLength !== KEY_BYTES)
    throw new AuthError('key_invalid', `${origin} must hold ${KEY_BYTES} bytes in base64, this is ${key.byteLength}`);
  return key;
}

/** Written beside, flushed, then linked into place: two starts at once agree on one key, and none is ever half there. */
async function makeKeyFile(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `${KEY_FILE}.${newId()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    await file.sync();
    await file.close();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await syncPath(folder);
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
