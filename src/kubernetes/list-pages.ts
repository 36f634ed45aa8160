import { z } from 'zod';
import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';

const PAGE = 500;
const listSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string().optional(), continue: z.string().optional() }),
  items: z.array(z.looseObject({})).nullish(),
});

export type ListedObject = Record<string, unknown>;

export interface ListPage {
  readonly items: readonly ListedObject[];
  /** To start a watch from, once the last page has been read. */
  readonly resourceVersion: string;
}

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
  do {
    const query = { ...selection, limit: String(PAGE), ...(token === undefined ? {} : { continue: token }) };
    const parsed = listSchema.safeParse(await client.get(path, query));
    if (!parsed.success) throw new KubernetesError('unexpected_reply', `the reply to ${path} is not a list`);
    const { metadata, items } = parsed.data;
    yield { items: items ?? [], resourceVersion: metadata.resourceVersion ?? '' };
    token = metadata.continue === '' ? undefined : metadata.continue;
  } while (token !== undefined);
}
