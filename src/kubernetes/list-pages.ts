import { readBounded } from '../platform/streams.ts';
import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { acceptFor, type ObjectReader, type RawPage, readPage } from './object-forms.ts';

const PAGE = 500;
/** A page of 500 objects of up to 1.5 MB can be larger in theory; such a kind is reported as not listable. */
const LARGEST_PAGE = 256 * 1024 * 1024;

export type ListedObject = Record<string, unknown>;

export interface ListPage {
  readonly items: readonly ListedObject[];
  /** To start a watch from, once the last page has been read. */
  readonly resourceVersion: string;
}

const WHOLE: ObjectReader<ListedObject> = { json: (object) => object };

/**
 * Lists a collection page by page, so that memory stays that of one page. Throws `KubernetesError`; `gone` when the
 * listing took longer than the API server keeps old versions.
 */
export async function* listPages(
  client: KubernetesClient,
  path: string,
  selection: Readonly<Record<string, string>> = {},
): AsyncGenerator<ListPage> {
  for await (const page of rawPages(client, path, selection, WHOLE))
    yield { items: [...page.items()], resourceVersion: page.resourceVersion };
}

/**
 * Reads a whole collection, object by object, and gives the version to watch from. The next page is on its way while one
 * is read; no more than two are in memory. Throws like `listPages`; what was taken until then stays taken.
 */
export async function listObjects<Item>(
  client: KubernetesClient,
  path: string,
  selection: Readonly<Record<string, string>>,
  reader: ObjectReader<Item>,
  take: (item: Item) => void,
): Promise<string> {
  let version = '';
  for await (const page of rawPages(client, path, selection, reader)) {
    version = page.resourceVersion;
    for (const item of page.items()) take(item);
  }
  return version;
}

async function* rawPages<Item>(
  client: KubernetesClient,
  path: string,
  selection: Readonly<Record<string, string>>,
  reader: ObjectReader<Item>,
): AsyncGenerator<RawPage<Item>> {
  const ask = async (token: string): Promise<RawPage<Item>> => {
    const query = { ...selection, limit: String(PAGE), ...(token === '' ? {} : { continue: token }) };
    const { mediaType, body } = await client.read(path, { query, accept: acceptFor(reader, false) });
    const bytes = await readBounded(body, LARGEST_PAGE, `a page of ${path}`).catch((error: unknown) => {
      throw new KubernetesError('unexpected_reply', `the reply to ${path} broke off`, { cause: error });
    });
    return readPage(bytes, mediaType, reader);
  };
  let coming: Promise<RawPage<Item>> | undefined = ask('');
  while (coming !== undefined) {
    const page: RawPage<Item> = await coming;
    coming = page.next === '' ? undefined : ask(page.next);
    // It is awaited when its turn comes, and nobody may listen any more by then.
    coming?.catch(() => undefined);
    yield page;
  }
}
