import { KubernetesError } from './errors.ts';
import type { KubernetesClient, Reply } from './kubernetes-client.ts';
import { acceptFor, type ObjectReader, readPage } from './object-forms.ts';

const PAGE = 500;

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
  let token: string | undefined;
  while (token !== '') {
    const items: ListedObject[] = [];
    let at = { resourceVersion: '', next: '' };
    await readPage(await ask(client, path, { selection, reader: WHOLE, token }), WHOLE, {
      head: (head) => {
        at = head;
      },
      item: (item) => void items.push(item),
    });
    yield { items, resourceVersion: at.resourceVersion };
    token = at.next;
  }
}

/**
 * Reads a whole collection, object by object, and gives the version to watch from. The next page is on its way while one
 * is read; in protobuf neither is ever in memory as a whole. Throws like `listPages`; what was taken until then stays taken.
 */
export async function listObjects<Item>(
  client: KubernetesClient,
  path: string,
  selection: Readonly<Record<string, string>>,
  reader: ObjectReader<Item>,
  take: (item: Item) => void,
): Promise<string> {
  const reading = new AbortController();
  const page = (token?: string) => ask(client, path, { selection, reader, token, signal: reading.signal });
  let version = '';
  let coming: Promise<Reply> | undefined = page();
  try {
    while (coming !== undefined) {
      const reply: Reply = await coming;
      coming = undefined;
      await readPage(reply, reader, {
        head({ resourceVersion, next }) {
          version = resourceVersion;
          if (next !== '') coming = page(next);
          // It is awaited when its turn comes, and nobody may listen any more by then.
          coming?.catch(() => undefined);
        },
        item: take,
      });
    }
  } catch (error) {
    // Nobody reads the page that is on its way.
    reading.abort();
    throw error;
  }
  return version;
}

async function ask(
  client: KubernetesClient,
  path: string,
  page: {
    readonly selection: Readonly<Record<string, string>>;
    readonly reader: ObjectReader<unknown>;
    readonly token?: string | undefined;
    readonly signal?: AbortSignal;
  },
): Promise<Reply> {
  const { selection, reader, token, signal } = page;
  const { mediaType, body } = await client.read(path, {
    query: { ...selection, limit: String(PAGE), ...(token === undefined ? {} : { continue: token }) },
    accept: acceptFor(reader, false),
    ...(signal ? { signal } : {}),
  });
  return { mediaType, body: whole(body, path) };
}

async function* whole(body: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new KubernetesError('unexpected_reply', `the reply to ${path} broke off`, { cause: error });
  }
}
