import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { importAdvisories } from '../../api/contract/operations.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { isWrittenInto, makeWholeFile } from '../../platform/whole-file.ts';
import { packDatabase, unpackDatabase } from '../../scanner/advisories/pack.ts';
import { verifyAdvisoryDatabase } from '../../scanner/advisories/verify.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { currentLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { bytes, facts, type OutputOptions, printAs } from '../output.ts';
import { type SourceAccess, sourceClient } from '../registry-end.ts';
import { openAdvisories } from '../scan/advisories.ts';
import { expectPlaceFor } from '../write-whole.ts';
import { type ArtifactPlace, pullArtifact, pushArtifact } from './artifact.ts';

export interface FromOptions extends OutputOptions {
  /** Database file instead of the installed one. */
  readonly db?: string;
}

export interface PullOptions extends OutputOptions {
  /** File to write instead of handing it to the server. */
  readonly out?: string;
}

/** Writes the installed database (or `--db`) into a file, packed when its name ends in `.zst`. */
export async function exportDatabase(cli: Cli, file: string, options: FromOptions): Promise<void> {
  await expectPlaceFor(file);
  const advisories = await openAdvisories(await cli.config(), options.db);
  try {
    const { path, version, builtAt } = advisories.database;
    const size = await makeWholeFile(file, async (part) => {
      if (file.endsWith('.zst')) await packDatabase(path, part);
      else await unpackDatabase(path, part);
      return (await stat(part)).size;
    });
    printAs(cli, options, { file, version, builtAt, bytes: size }, () =>
      facts([
        ['written', `${file} (${bytes(size)})`],
        ['version', version],
        ['built', builtAt],
      ]),
    );
  } finally {
    await advisories.close();
  }
}

/** Pushes the installed database (or `--db`) to a registry. */
export async function pushDatabase(cli: Cli, reference: string, options: FromOptions & SourceAccess): Promise<void> {
  const advisories = await openAdvisories(await cli.config(), options.db);
  try {
    await withScratch((folder) =>
      withPlace(cli, reference, options, async (place) => {
        const file = join(folder, 'advisories.sqlite.zst');
        await packDatabase(advisories.database.path, file);
        const { version, builtAt } = advisories.database;
        const pushed = await pushArtifact(place, file, advisories.database);
        printAs(cli, options, { reference, ...pushed, version, builtAt }, () =>
          facts([
            ['pushed', `${reference} (${bytes(pushed.bytes)})`],
            ['digest', pushed.digest],
            ['version', version],
            ['built', builtAt],
          ]),
        );
      }),
    );
  } finally {
    await advisories.close();
  }
}

/**
 * Pulls a database from a registry, verifies it, and writes it to `--out` or hands it to the server. Nothing is replaced unless
 * the digest, the schema and the content hash are right.
 */
export async function pullDatabase(cli: Cli, reference: string, options: PullOptions & SourceAccess): Promise<void> {
  const { out } = options;
  if (out !== undefined) await expectPlaceFor(out);
  await withScratch(
    (folder) =>
      withPlace(cli, reference, options, async (place) => {
        const [packed, plain] = [join(folder, 'advisories.sqlite.zst'), join(folder, 'advisories.sqlite')];
        const { version: promised, digest } = await pullArtifact(place, packed);
        await unpackDatabase(packed, plain, reference);
        const version = verifyAdvisoryDatabase(plain, reference);
        if (version !== promised) {
          throw new CliError('failed', `${reference} promises ${promised || 'no version'} but holds ${version}`);
        }
        const wanted = out?.endsWith('.zst') ? packed : plain;
        if (out !== undefined) await makeWholeFile(out, (part) => copyFile(wanted, part));
        else await handOver(cli, packed);
        printAs(cli, options, { reference, digest, version, ...(out === undefined ? {} : { file: out }) }, () =>
          facts([
            ['pulled', reference],
            ['digest', digest],
            ['version', version],
            [out === undefined ? 'used by' : 'written', out ?? 'the server; what is stored is being judged again'],
          ]),
        );
      }),
    // Where there is room for the file that it becomes.
    out === undefined || (await isWrittenInto(out)) ? undefined : dirname(out),
  );
}

async function handOver(cli: Cli, file: string): Promise<void> {
  const { size } = await stat(file);
  await withServer(cli, (api) => api.upload(importAdvisories, { content: createReadStream(file), size }));
}

async function withPlace(
  cli: Cli,
  text: string,
  options: SourceAccess,
  use: (place: ArtifactPlace) => Promise<void>,
): Promise<void> {
  const reference = parseReference(text);
  const http = createHttpClient({ userAgent: 'breakwater' });
  try {
    const client = await sourceClient(cli, http, reference, options, await currentLogin(await cli.config()));
    const { repository, tag, digest } = reference;
    await use({ client, repository, reference: digest ?? tag ?? 'latest' });
  } finally {
    await http.close();
  }
}

async function withScratch(use: (folder: string) => Promise<void>, beside: string = tmpdir()): Promise<void> {
  const folder = await mkdtemp(join(beside, '.breakwater-db-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
