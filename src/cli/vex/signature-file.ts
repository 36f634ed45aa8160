import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../platform/errors.ts';
import { fieldAt, jsonOf, textAt } from '../../platform/json-object.ts';
import { CliError } from '../exit.ts';

const LARGEST = 1024 * 1024;

/**
 * The signature in a file, as base64: as `cosign sign-blob` and `openssl dgst -sign` write it, or out of a bundle of cosign, of the old
 * or the new form. Throws `CliError`.
 */
export async function readSignature(path: string): Promise<string> {
  const bytes = await read(path);
  const text = bytes.toString('utf8').trim();
  const bundle = jsonOf(text);
  const bundled = textAt(bundle, 'messageSignature', 'signature') || textAt(bundle, 'base64Signature');
  if (bundled !== '') return bundled;
  if (typeof fieldAt(bundle, 'mediaType') === 'string')
    throw new CliError('failed', `${path} is a bundle without a signature over a file; make it with: cosign sign-blob`);
  return /^[A-Za-z0-9+/=\s]+$/.test(text) ? text.replace(/\s/g, '') : bytes.toString('base64');
}

async function read(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= LARGEST) return await readFile(path);
  } catch (error) {
    throw new CliError('failed', `${path} could not be read: ${messageOf(error)}`, { cause: error });
  }
  throw new CliError('failed', `${path} is too large to be a signature`);
}
