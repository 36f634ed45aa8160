import type { seeded } from '../../src/gc/random.testing.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { type Answer, type Client, CutOff, WrongAnswer } from './client.ts';
import { configOf, contentOf, indexOf, manifestOf } from './content.ts';
import {
  certain,
  keptManifests,
  listedBlobs,
  type ManifestFact,
  type OpenUpload,
  type RepositoryFacts,
  TagHistory,
} from './facts.ts';

export type Chances = ReturnType<typeof seeded>;

export interface Tally {
  acknowledged: number;
  /** Cut off before the answer. */
  inDoubt: number;
  /** 503 with Retry-After, as clients may be answered when they push what is being given up at this moment. */
  refused: number;
}

export interface ActorDeps {
  readonly client: Client;
  readonly chances: Chances;
  /** Marks everything this actor makes in this round. */
  readonly name: string;
  /** Nobody else writes to these. */
  readonly own: readonly RepositoryFacts[];
  /** Everybody writes to this, but nothing but tags is ever taken away. */
  readonly shared: RepositoryFacts;
  readonly tally: Tally;
  /** True while something other than the server is being killed: then it may say 5xx, which leaves the request in doubt. */
  readonly mayFail: boolean;
}

/** Contents that several actors push, delete and mount, so that they are given up and come back all the time. */
const POOL = Array.from({ length: 12 }, (_, at) => contentOf(`pool ${at}`, 500 + at * 3000));
const MOVING_TAGS = 4;
const SHARED_TAGS = 3;
const LARGE = 1_500_000;

/** Refused for the moment; whoever sent it goes on with something else. */
class Refused extends Error {}

/** Does one thing after the other until the server is gone. Throws `WrongAnswer`. */
export async function act(deps: ActorDeps): Promise<void> {
  for (let count = 0; ; count += 1) {
    try {
      await step({ ...deps, name: `${deps.name}.${count}` });
    } catch (error) {
      if (error instanceof CutOff) {
        deps.tally.inDoubt += 1;
        return;
      }
      if (!(error instanceof Refused)) throw error;
      deps.tally.refused += 1;
    }
  }
}

const STEPS: readonly (readonly [weight: number, step: (deps: ActorDeps, facts: RepositoryFacts) => Promise<void>])[] =
  [
    [30, pushNewImage],
    [10, pushNewIndex],
    [8, moveTag],
    [10, deleteTag],
    [8, deleteManifest],
    [12, pushLooseBlob],
    [10, deleteLooseBlob],
    [8, leaveUpload],
    [8, resumeUpload],
    [12, writeSharedTag],
  ];
const ALL = STEPS.reduce((sum, [weight]) => sum + weight, 0);

function step(deps: ActorDeps): Promise<void> {
  const facts = deps.chances.pick(deps.own);
  let at = deps.chances.below(ALL);
  for (const [weight, take] of STEPS) {
    if (at < weight) return take(deps, facts);
    at -= weight;
  }
  return Promise.resolve();
}

async function pushNewImage(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const { chances, name } = deps;
  await pushTagged(deps, facts, await pushContentOfImage(deps, facts, name), tagFor(chances, name));
}

async function pushNewIndex(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const { chances, name } = deps;
  const children: Image[] = [];
  for (const at of [0, 1]) {
    const child = await pushContentOfImage(deps, facts, `${name}/${at}`);
    // Without a tag it is promised for a day, and then kept by the index.
    await putManifest(deps, facts, child, undefined);
    children.push(child);
  }
  const bytes = indexOf(children.map((child) => child.bytes));
  const index = { bytes, mediaType: OCI_INDEX, blobs: [], children: children.map(({ bytes }) => digestOf(bytes)) };
  await pushTagged(deps, facts, index, tagFor(chances, name));
}

type Image = Omit<ManifestFact, 'presence'>;

function tagFor(chances: Chances, name: string): string {
  return chances.below(2) === 0 ? `moving-${chances.below(MOVING_TAGS)}` : `v${name.replaceAll(/[^\w.]/g, '_')}`;
}

async function pushContentOfImage(deps: ActorDeps, facts: RepositoryFacts, name: string): Promise<Image> {
  const { chances } = deps;
  const size = chances.below(25) === 0 ? LARGE : 1 + chances.below(40_000);
  const layers = [contentOf(name, size), chances.pick(POOL)].slice(0, 1 + chances.below(2));
  const config = configOf(name, layers);
  for (const content of [...layers, config]) await haveBlob(deps, facts, content);
  const blobs = [...layers, config].map((content) => digestOf(content));
  return { bytes: manifestOf(config, layers), mediaType: OCI_MANIFEST, blobs, children: [] };
}

/** As clients do it: look first, then mount or upload in one of the ways there are. */
async function haveBlob(deps: ActorDeps, facts: RepositoryFacts, content: Buffer): Promise<void> {
  const { chances } = deps;
  const digest = digestOf(content);
  const fact = blobFact(facts, digest, content.length);
  if (chances.below(3) === 0) {
    const { status } = await ask(deps, 'HEAD', `/v2/${facts.name}/blobs/${digest}`, [200, 404]);
    if (status === 200) {
      if (fact.presence === 'gone') throw new WrongAnswer(`${facts.name} has ${digest} again, which was deleted`);
      return holds(facts, digest);
    }
    if (fact.presence === 'there' && !fact.promiseOver)
      throw new WrongAnswer(`${facts.name} does not have ${digest} any more`);
  }
  if (fact.presence === 'gone') fact.presence = 'either';
  await upload(deps, facts, content, chances.below(5));
  holds(facts, digest);
}

function blobFact(facts: RepositoryFacts, digest: Digest, size: number) {
  facts.recent.add(digest);
  const known = facts.blobs.get(digest);
  if (known) return known;
  const fact = { presence: 'gone' as const, size, promiseOver: false };
  facts.blobs.set(digest, fact);
  return facts.blobs.get(digest) ?? fact;
}

function holds(facts: RepositoryFacts, digest: Digest): void {
  const fact = facts.blobs.get(digest);
  if (!fact) return;
  fact.presence = 'there';
  fact.promiseOver = false;
}

async function upload(deps: ActorDeps, facts: RepositoryFacts, content: Buffer, style: number): Promise<void> {
  const digest = digestOf(content);
  const uploads = `/v2/${facts.name}/blobs/uploads/`;
  if (style === 0) {
    await ask(deps, 'POST', `${uploads}?digest=${digest}`, [201], { body: content });
    return;
  }
  const from = [...deps.own, deps.shared].find((other) => other.blobs.get(digest)?.presence === 'there');
  const mount = style === 1 && from ? `?mount=${digest}&from=${from.name}` : '';
  const begun = await ask(deps, 'POST', `${uploads}${mount}`, mount === '' ? [202] : [201, 202]);
  if (begun.status === 201) return;
  const open: OpenUpload = { location: locationOf(begun), content, acknowledged: 0, sent: 0, ending: false };
  facts.uploads.add(open);
  // Whole in the PUT, one PATCH, or several of which each says where it goes on.
  if (style >= 3) await sendPieces(deps, open, style === 3 ? 1 : 1 + deps.chances.below(4));
  await finish(deps, facts, open);
}

async function sendPieces(deps: ActorDeps, open: OpenUpload, pieces: number, until = open.content.length) {
  const length = Math.max(1, Math.ceil((until - open.acknowledged) / pieces));
  while (open.acknowledged < until) {
    const [first, end] = [open.acknowledged, Math.min(until, open.acknowledged + length)];
    open.sent = Math.max(open.sent, end);
    const headers = pieces > 1 ? { 'content-range': `${first}-${end - 1}` } : {};
    const body = open.content.subarray(first, end);
    open.location = locationOf(await ask(deps, 'PATCH', open.location, [202], { body, headers }));
    open.acknowledged = end;
  }
}

async function finish(deps: ActorDeps, facts: RepositoryFacts, open: OpenUpload): Promise<void> {
  open.ending = true;
  open.sent = open.content.length;
  const body = open.content.subarray(open.acknowledged);
  const digest = digestOf(open.content);
  const sending = body.length > 0 ? { body } : {};
  await ask(deps, 'PUT', `${open.location}${open.location.includes('?') ? '&' : '?'}digest=${digest}`, [201], sending);
  facts.uploads.delete(open);
}

/** A tag that has a manifest, in one request. */
async function pushTagged(deps: ActorDeps, facts: RepositoryFacts, image: Image, tag: string): Promise<void> {
  await putManifest(deps, facts, image, tag);
}

async function putManifest(deps: ActorDeps, facts: RepositoryFacts, image: Image, tag: string | undefined) {
  const digest = digestOf(image.bytes);
  facts.recent.add(digest);
  const known = facts.manifests.get(digest);
  const fact: ManifestFact = known ?? { ...image, presence: 'gone' };
  facts.manifests.set(digest, fact);
  if (tag !== undefined && facts !== deps.shared && fact.presence === 'gone')
    facts.inDoubt = { kind: 'put', tag, digest };
  if (fact.presence === 'gone') fact.presence = 'either';
  const acknowledge = tag === undefined ? undefined : tagOf(facts, tag).begin(digest);
  await ask(deps, 'PUT', `/v2/${facts.name}/manifests/${tag ?? digest}`, [201], {
    body: image.bytes,
    headers: { 'content-type': image.mediaType },
  });
  acknowledge?.();
  fact.presence = 'there';
  if (facts !== deps.shared) facts.inDoubt = undefined;
}

function tagOf(facts: RepositoryFacts, tag: string): TagHistory {
  facts.recent.add(tag);
  const history = facts.tags.get(tag) ?? new TagHistory();
  facts.tags.set(tag, history);
  return history;
}

async function moveTag(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const kept = keptManifests(facts);
  const there = [...facts.manifests].filter(([digest, fact]) => fact.presence === 'there' && kept.has(digest));
  const [, image] = there.length > 0 ? deps.chances.pick(there) : [];
  if (image) await pushTagged(deps, facts, image, `moving-${deps.chances.below(MOVING_TAGS)}`);
}

async function deleteTag(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const set = [...facts.tags].filter(([, history]) => certain(history) !== undefined);
  if (set.length === 0) return;
  const [tag, history] = deps.chances.pick(set);
  facts.recent.add(tag);
  // In a project that collects, what it pointed at may go at any time from now on.
  const digest = certain(history);
  if (digest) facts.recent.add(digest);
  const acknowledge = history.begin(undefined);
  await ask(deps, 'DELETE', `/v2/${facts.name}/manifests/${tag}`, [202]);
  acknowledge();
}

async function deleteManifest(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const kept = keptManifests(facts);
  const parents = new Set(
    [...facts.manifests.values()].flatMap((fact) => (fact.presence === 'gone' ? [] : fact.children)),
  );
  const there = [...facts.manifests].filter(
    ([digest, fact]) => fact.presence === 'there' && kept.has(digest) && !parents.has(digest),
  );
  if (there.length === 0) return;
  const [digest, fact] = deps.chances.pick(there);
  facts.recent.add(digest);
  const tags = [...facts.tags].filter(([, history]) => certain(history) === digest);
  facts.inDoubt = { kind: 'delete', digest, tags: tags.map(([tag]) => tag) };
  for (const [tag] of tags) facts.recent.add(tag);
  fact.presence = 'either';
  const acknowledge = tags.map(([, history]) => history.begin(undefined));
  await ask(deps, 'DELETE', `/v2/${facts.name}/manifests/${digest}`, [202]);
  fact.presence = 'gone';
  for (const done of acknowledge) done();
  facts.inDoubt = undefined;
}

async function pushLooseBlob(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  await haveBlob(deps, facts, deps.chances.pick(POOL));
}

/** Takes a blob away that no manifest of this repository lists; elsewhere somebody may be pushing it. */
async function deleteLooseBlob(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const listed = listedBlobs(facts);
  const loose = POOL.map((content) => digestOf(content)).filter(
    (digest) => facts.blobs.get(digest)?.presence === 'there' && !listed.has(digest),
  );
  if (loose.length === 0) return;
  const digest = deps.chances.pick(loose);
  const fact = facts.blobs.get(digest);
  if (!fact) return;
  facts.recent.add(digest);
  fact.presence = 'either';
  await ask(deps, 'DELETE', `/v2/${facts.name}/blobs/${digest}`, fact.promiseOver ? [202, 404] : [202]);
  fact.presence = 'gone';
}

async function leaveUpload(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const content = contentOf(`${deps.name} upload`, 1000 + deps.chances.below(200_000));
  const begun = await ask(deps, 'POST', `/v2/${facts.name}/blobs/uploads/`, [202]);
  const open: OpenUpload = { location: locationOf(begun), content, acknowledged: 0, sent: 0, ending: false };
  facts.uploads.add(open);
  await sendPieces(deps, open, 2, deps.chances.below(content.length));
}

/** Goes on where the server says it stands. */
async function resumeUpload(deps: ActorDeps, facts: RepositoryFacts): Promise<void> {
  const [open] = facts.uploads;
  if (!open) return;
  const stands = await ask(deps, 'GET', open.location, open.ending ? [204, 404] : [204]);
  const digest = digestOf(open.content);
  const fact = blobFact(facts, digest, open.content.length);
  if (stands.status === 404) {
    facts.uploads.delete(open);
    return;
  }
  open.acknowledged = standsAt(open, stands);
  if (fact.presence === 'gone') fact.presence = 'either';
  await sendPieces(deps, open, 1 + deps.chances.below(2));
  await finish(deps, facts, open);
  holds(facts, digest);
}

/** Checks where an upload stands. Throws `WrongAnswer`. */
export function standsAt(open: OpenUpload, answer: Answer): number {
  const range = /^0-(\d+)$/.exec(String(answer.headers['range'] ?? ''))?.[1];
  if (range === undefined) throw new WrongAnswer(`an upload stands at "${String(answer.headers['range'])}"`);
  // Nothing and one byte look alike; no upload here stops after one byte.
  const size = range === '0' ? 0 : Number(range) + 1;
  // Once its end was asked for the content may be in place already; it is then sent again from the start.
  const least = open.ending ? 0 : open.acknowledged;
  if (size < least || size > open.sent)
    throw new WrongAnswer(`an upload stands at ${size}, with ${open.acknowledged} acknowledged and ${open.sent} sent`);
  return size;
}

/** A tag that all actors move and delete at the same time. */
async function writeSharedTag(deps: ActorDeps): Promise<void> {
  const { chances, shared, name } = deps;
  const tag = `shared-${chances.below(SHARED_TAGS)}`;
  if (chances.below(4) > 0) {
    await pushTagged(deps, shared, await pushContentOfImage(deps, shared, `${name} shared`), tag);
    return;
  }
  const acknowledge = tagOf(shared, tag).begin(undefined);
  const { status } = await ask(deps, 'DELETE', `/v2/${shared.name}/manifests/${tag}`, [202, 404]);
  if (status === 202) acknowledge();
}

async function ask(
  { client, tally, mayFail }: ActorDeps,
  method: Parameters<Client['send']>[0],
  path: string,
  wanted: readonly number[],
  options: Parameters<Client['send']>[2] = {},
): Promise<Answer> {
  const answer = await client.send(method, path, options);
  if (wanted.includes(answer.status)) {
    tally.acknowledged += 1;
    return answer;
  }
  if (mayFail && answer.status >= 500) throw new CutOff(`${answer.status}`);
  if (answer.status === 503 && answer.headers['retry-after'] !== undefined) throw new Refused();
  throw new WrongAnswer(
    `${method} ${path} was answered ${answer.status} instead of ${wanted.join(' or ')}: ${answer.body.toString().slice(0, 500)}`,
  );
}

function locationOf(answer: Answer): string {
  return String(answer.headers['location']);
}
