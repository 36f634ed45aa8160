import { algorithmOf, type Digest, digestOf, tryParseDigest } from '../oci/digest.ts';
import { referrersTagOf } from '../oci/referrers-tag.ts';
import type { Clock } from '../platform/clock.ts';
import { type HttpClient, HttpError, type HttpRequest, type HttpResponse, redactUrl } from '../platform/http-client.ts';
import { type ByteSource, readBounded, StreamError } from '../platform/streams.ts';
import { type Authorizer, type Credentials, createAuthorizer } from './authorization.ts';
import { UpstreamError } from './errors.ts';

/** The registry to talk to. `url` is origin plus an optional path prefix put before every repository name. */
export interface RegistryAddress {
  readonly url: string;
  readonly credentials?: Credentials;
}

export interface ManifestHead {
  /** Absent when the registry does not say. */
  readonly digest?: Digest;
  readonly mediaType: string;
}

export interface ManifestContent {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly content: Buffer;
}

/** Does something, perhaps several times until it succeeds. */
type Attempt = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A client of another registry's distribution API. Every call throws `UpstreamError`; "not there" is undefined. */
export interface RegistryClient {
  readonly host: string;
  headManifest(repository: string, reference: string): Promise<ManifestHead | undefined>;
  getManifest(repository: string, reference: string): Promise<ManifestContent | undefined>;
  getBlob(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<{ size?: number; content: ByteSource } | undefined>;
  /** The index of what refers to a manifest; also where the registry has only the tag that stands in for it. */
  getReferrers(repository: string, subject: Digest): Promise<ManifestContent | undefined>;
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  /** Names of the repositories it shows to us, page by page; throws `not_found` or `denied` where it has no catalogue for us. */
  listRepositories(attempt?: Attempt): AsyncIterable<string>;
  /** Tags of a repository, page by page; none when it is not there. */
  listTags(repository: string, attempt?: Attempt): AsyncIterable<string>;
  /**
   * Has the registry take a blob over from another of its repositories (`from`; without it, from any), else sends it: `content` is asked for
   * only then.
   */
  mountOrPutBlob(
    repository: string,
    digest: Digest,
    from: string | undefined,
    content: () => Promise<{ readonly size: number; readonly content: ByteSource }>,
  ): Promise<'mounted' | 'sent'>;
  putBlob(repository: string, digest: Digest, size: number, content: ByteSource): Promise<void>;
  /** Gives the `Warning` texts of the reply. */
  putManifest(
    repository: string,
    reference: string,
    mediaType: string,
    content: Uint8Array,
  ): Promise<readonly string[]>;
}

/** Largest manifest we take, as every registry does. */
const LARGEST_MANIFEST = 4 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;
/** Of a page of a list, which may hold everything at registries that know no pages. */
const LARGEST_PAGE = 64 * 1024 * 1024;
const PAGE = 1000;
const ACCEPTED_MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Deps {
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** Creates a client for one registry; tokens are kept inside, one per scope. */
export function createRegistryClient(deps: Deps, address: RegistryAddress): RegistryClient {
  const base = new URL(address.url);
  const prefix = base.pathname.replace(/^\/+|\/+$/g, '');
  const authorizer = createAuthorizer(deps, base, address.credentials);
  const call = caller(deps.http, base, authorizer);
  const full = (repository: string) => (prefix ? `${prefix}/${repository}` : repository);
  const path = (repository: string, rest: string) => `/v2/${full(repository)}/${rest}`;
  const pull = (repository: string) => `repository:${full(repository)}:pull`;
  const push = (repository: string) => `repository:${full(repository)}:pull,push`;

  async function getManifest(repository: string, reference: string): Promise<ManifestContent | undefined> {
    const reply = await call(pull(repository), {
      path: path(repository, `manifests/${reference}`),
      headers: { accept: ACCEPTED_MANIFESTS },
    });
    if (reply.status === 404) return discarded(reply);
    await failUnless(reply, [200], `manifest ${repository}:${reference}`);
    const content = await bounded(reply, LARGEST_MANIFEST, `manifest ${repository}:${reference} of ${base.host}`);
    const wanted = tryParseDigest(reference) ?? tryParseDigest(reply.header('docker-content-digest') ?? '');
    const digest = digestOf(content, wanted ? algorithmOf(wanted) : 'sha256');
    if (wanted && wanted !== digest)
      throw new UpstreamError('invalid_response', `${base.host} gave ${digest} for ${repository}@${wanted}`);
    return { digest, mediaType: mediaTypeOf(reply), content };
  }

  /** With the token that began the upload: a stream cannot be sent again with a better one. */
  async function sendBlob(
    scope: string,
    repository: string,
    digest: Digest,
    target: URL,
    { size, content }: { readonly size: number; readonly content: ByteSource },
  ): Promise<void> {
    target.searchParams.set('digest', digest);
    const reply = await call(scope, {
      path: `${target.pathname}${target.search}`,
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: content,
    });
    await failUnless(reply, [201], `upload of ${repository}@${digest}`);
    await reply.discard();
  }

  /** Names out of a list that may come in pages (`Link`, RFC 8288); a page must bring the list forward. */
  async function* listed(list: NameList, attempt: Attempt): AsyncGenerator<string> {
    let previous: string | undefined;
    for (let next: string | undefined = list.start; next !== undefined; ) {
      const path: string = next;
      const page = await attempt(async () => {
        const reply = await call(list.scope, { path });
        await failUnless(reply, [200], list.what);
        const content = await bounded(reply, LARGEST_PAGE, `${list.what} of ${base.host}`);
        return { names: namesIn(content, list.member, base.host), next: nextPage(reply, base) };
      });
      if (page.names.length > 0 && page.names.at(-1) === previous)
        throw new UpstreamError('invalid_response', `${base.host} gives the same page of ${list.what} again and again`);
      previous = page.names.at(-1) ?? previous;
      yield* page.names;
      next = page.names.length === 0 ? undefined : page.next;
    }
  }

  return {
    host: base.host,
    getManifest,

    listRepositories: (attempt = once) =>
      listed(
        { scope: 'registry:catalog:*', start: `/v2/_catalog?n=${PAGE}`, member: 'repositories', what: 'the catalogue' },
        attempt,
      ),

    async *listTags(repository, attempt = once) {
      const what = `tags of ${repository}`;
      const start = path(repository, `tags/list?n=${PAGE}`);
      try {
        yield* listed({ scope: pull(repository), start, member: 'tags', what }, attempt);
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.code !== 'not_found') throw error;
      }
    },

    async headManifest(repository, reference) {
      const reply = await call(pull(repository), {
        path: path(repository, `manifests/${reference}`),
        method: 'HEAD',
        headers: { accept: ACCEPTED_MANIFESTS },
      });
      await reply.discard();
      if (reply.status === 404) return undefined;
      expectStatus(reply, [200], `HEAD manifest ${repository}:${reference}`);
      const digest = tryParseDigest(reply.header('docker-content-digest') ?? '');
      return { mediaType: mediaTypeOf(reply), ...(digest ? { digest } : {}) };
    },

    async getReferrers(repository, subject) {
      const reply = await call(pull(repository), { path: path(repository, `referrers/${subject}`) });
      if (reply.status === 404) {
        await reply.discard();
        return getManifest(repository, referrersTagOf(subject));
      }
      await failUnless(reply, [200], `referrers of ${repository}@${subject}`);
      const content = await bounded(reply, LARGEST_MANIFEST, `referrers of ${repository}@${subject} at ${base.host}`);
      return { digest: digestOf(content), mediaType: mediaTypeOf(reply), content };
    },

    async getBlob(repository, digest, signal) {
      const reply = await call(pull(repository), {
        path: path(repository, `blobs/${digest}`),
        ...(signal ? { signal } : {}),
      });
      if (reply.status === 404) return discarded(reply);
      await failUnless(reply, [200], `blob ${repository}@${digest}`);
      const length = Number(reply.header('content-length') ?? Number.NaN);
      return { content: reply.body, ...(Number.isSafeInteger(length) ? { size: length } : {}) };
    },

    async hasBlob(repository, digest) {
      const reply = await call(push(repository), { path: path(repository, `blobs/${digest}`), method: 'HEAD' });
      await reply.discard();
      return reply.status === 200;
    },

    async mountOrPutBlob(repository, digest, from, content) {
      const query = new URLSearchParams({ mount: digest, ...(from === undefined ? {} : { from: full(from) }) });
      const scope = from === undefined ? push(repository) : `${push(repository)} ${pull(from)}`;
      const start = await call(scope, {
        path: path(repository, `blobs/uploads/?${query.toString()}`),
        method: 'POST',
        body: '',
      });
      await failUnless(start, [201, 202], `start of an upload to ${repository}`);
      await start.discard();
      if (start.status === 201) return 'mounted';
      await sendBlob(scope, repository, digest, uploadTarget(start, base), await content());
      return 'sent';
    },

    async putBlob(repository, digest, size, content) {
      const start = await call(push(repository), {
        path: path(repository, 'blobs/uploads/'),
        method: 'POST',
        body: '',
      });
      await failUnless(start, [202], `start of an upload to ${repository}`);
      await start.discard();
      await sendBlob(push(repository), repository, digest, uploadTarget(start, base), { size, content });
    },

    async putManifest(repository, reference, mediaType, content) {
      const reply = await call(push(repository), {
        path: path(repository, `manifests/${reference}`),
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body: content,
      });
      await failUnless(reply, [201], `manifest ${repository}:${reference}`);
      await reply.discard();
      return warningsOf(reply.header('warning'));
    },
  };
}

interface NameList {
  readonly scope: string;
  readonly start: string;
  /** Where in the reply the names are. */
  readonly member: string;
  readonly what: string;
}

const once: Attempt = (work) => work();

interface Call {
  readonly path: string;
  readonly method?: NonNullable<HttpRequest['method']>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ByteSource;
  readonly signal?: AbortSignal;
}

/** One request with the scope's credentials; a 401 is answered once. A body that is a stream is gone then, so it goes out with credentials. */
function caller(http: HttpClient, base: URL, authorizer: Authorizer) {
  return async (scope: string, sent: Call): Promise<HttpResponse> => {
    const attempt = (authorization: string | undefined) =>
      http.send({
        url: new URL(sent.path, base.origin).href,
        method: sent.method ?? 'GET',
        ...(sent.headers ? { headers: sent.headers } : {}),
        ...(sent.body === undefined ? {} : { body: sent.body as NonNullable<HttpRequest['body']> }),
        ...(sent.signal ? { signal: sent.signal } : {}),
        ...(authorization ? { authorization } : {}),
      });
    try {
      const onlyOnce = isStream(sent.body);
      const offered = onlyOnce ? await authorizer.prepare(scope) : authorizer.current(scope);
      const first = await attempt(offered);
      if (first.status !== 401 || onlyOnce) return first;
      const authorization = await authorizer.answer(first.header('www-authenticate'), scope, offered);
      if (authorization === undefined) return first;
      await first.discard();
      return await attempt(authorization);
    } catch (error) {
      if (error instanceof HttpError) throw new UpstreamError('unavailable', error.message, { cause: error });
      throw error;
    }
  };
}

function isStream(body: Call['body']): boolean {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
}

async function discarded(reply: HttpResponse): Promise<undefined> {
  await reply.discard();
  return undefined;
}

async function failUnless(reply: HttpResponse, expected: readonly number[], what: string): Promise<void> {
  if (expected.includes(reply.status)) return;
  const text = await reply.readText(LARGEST_ERROR).catch(() => '');
  expectStatus(reply, expected, what, sentenceOf(text));
}

function expectStatus(reply: HttpResponse, expected: readonly number[], what: string, said = ''): void {
  if (expected.includes(reply.status)) return;
  const host = new URL(reply.url).host;
  const message = `${host} answered ${reply.status} to ${what}${said && `: ${said}`}`;
  if (reply.status === 401 || reply.status === 403) throw new UpstreamError('denied', message);
  if (reply.status === 404) throw new UpstreamError('not_found', message);
  if (reply.status === 429 || reply.status >= 500) {
    const seconds = Number(reply.header('retry-after'));
    throw new UpstreamError('unavailable', message, {
      retryAfterSeconds: Number.isSafeInteger(seconds) ? seconds : undefined,
    });
  }
  throw new UpstreamError('invalid_response', message);
}

/** The first error sentence of a distribution error body; empty when it is none. */
function sentenceOf(text: string): string {
  try {
    const parsed = JSON.parse(text) as { errors?: readonly { message?: unknown }[] };
    const message = parsed.errors?.[0]?.message;
    return typeof message === 'string' ? message.slice(0, 1000) : '';
  } catch {
    return '';
  }
}

async function bounded(reply: HttpResponse, limit: number, what: string): Promise<Buffer> {
  try {
    return await readBounded(reply.body, limit, what);
  } catch (error) {
    if (error instanceof StreamError) throw new UpstreamError('invalid_response', error.message, { cause: error });
    throw new UpstreamError('unavailable', `${what} broke off`, { cause: error });
  }
}

function mediaTypeOf(reply: HttpResponse): string {
  return (reply.header('content-type') ?? '').split(';')[0]?.trim() ?? '';
}

function namesIn(page: Buffer, member: string, host: string): string[] {
  let list: unknown;
  try {
    list = (JSON.parse(page.toString()) as Readonly<Record<string, unknown>> | null)?.[member];
  } catch {
    list = undefined;
  }
  // Distribution writes a list without entries as null.
  if (list === null) return [];
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list;
  throw new UpstreamError('invalid_response', `${host} gave a list that is none`);
}

/** Path of the next page; undefined at the end. Another origin is not followed. */
function nextPage(reply: HttpResponse, base: URL): string | undefined {
  const [, link] = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(reply.header('link') ?? '') ?? [];
  const target = link === undefined ? undefined : URL.parse(link, reply.url);
  if (!target) return undefined;
  // Behind a proxy a registry may believe to be elsewhere: only the path counts.
  return new URL(`${target.pathname}${target.search}`, base.origin).href.slice(base.origin.length);
}

/** Where an upload goes on: same origin only, a registry has no business sending our bytes elsewhere. */
function uploadTarget(reply: HttpResponse, base: URL): URL {
  const location = reply.header('location');
  const target = location === undefined ? undefined : URL.parse(location, reply.url);
  if (!target || target.origin !== base.origin)
    throw new UpstreamError('invalid_response', `${redactUrl(reply.url)} gave no upload location on ${base.host}`);
  return target;
}

/** Texts of `Warning: 299 - "…"` headers (RFC 7234 §5.5), unescaped. */
function warningsOf(header: string | undefined): string[] {
  return [...(header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}
