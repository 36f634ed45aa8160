import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { standsAt } from './actor.ts';
import { type Answer, type Client, WrongAnswer } from './client.ts';
import { certain, keptManifests, type Presence, type RepositoryFacts } from './facts.ts';

const AT_ONCE = 12;
/** Manifests of earlier rounds that are looked at again. */
const SAMPLE = 4;

/**
 * Looks at everything that was asked about since the last look (`all`: ever) and compares it with what must be there; gives a sentence
 * for each thing that is lost, damaged or back. What was in doubt is known afterwards. Nobody may write meanwhile, but garbage collection.
 */
export async function look(client: Client, facts: RepositoryFacts, which: 'recent' | 'all'): Promise<string[]> {
  const losses: string[] = [];
  const wrong = (sentence: string) => void losses.push(`${facts.name}: ${sentence}`);
  const wanted = (key: string) => which === 'all' || facts.recent.has(key);

  await each([...facts.tags.keys()].filter(wanted), (tag) => lookAtTag(client, facts, tag, wrong));
  const kept = keptManifests(facts);
  const digests = [...facts.manifests.keys()];
  const manifests = new Set([...digests.filter(wanted), ...sampleOf(digests)]);
  for (const history of facts.tags.values()) {
    const digest = certain(history);
    if (digest !== undefined && facts.recent.has(digest)) manifests.add(digest);
  }
  await each([...manifests], (digest) => lookAtManifest(client, facts, { digest, kept: kept.has(digest) }, wrong));
  settleDoubt(facts, wrong);

  const listed = new Set(
    [...facts.manifests].flatMap(([digest, { presence, blobs }]) =>
      presence === 'there' && kept.has(digest) ? blobs : [],
    ),
  );
  const blobs = new Set([...facts.blobs.keys()].filter(wanted));
  for (const digest of manifests) for (const blob of facts.manifests.get(digest)?.blobs ?? []) blobs.add(blob);
  await each([...blobs], (digest) => lookAtBlob(client, facts, { digest, kept: listed.has(digest) }, wrong));
  await each([...facts.uploads], (open) => lookAtUpload(client, facts, open, wrong));
  facts.recent.clear();
  return losses;
}

type Wrong = (sentence: string) => void;

async function lookAtTag(client: Client, facts: RepositoryFacts, tag: string, wrong: Wrong): Promise<void> {
  const history = facts.tags.get(tag);
  if (!history) return;
  const answer = await client.send('GET', `/v2/${facts.name}/manifests/${tag}`);
  const digest = answer.status === 404 ? undefined : (String(answer.headers['docker-content-digest']) as Digest);
  if (answer.status !== 404) expectContent(`tag ${tag}`, answer, digest, wrong);
  if (!history.possible().has(digest)) {
    const possible = [...history.possible()].map((value) => value ?? 'nothing').join(' or ');
    wrong(`tag ${tag} points at ${digest ?? 'nothing'} instead of ${possible}`);
  }
  history.settle(digest);
  if (digest !== undefined) facts.recent.add(digest);
}

async function lookAtManifest(
  client: Client,
  facts: RepositoryFacts,
  { digest, kept }: { readonly digest: Digest; readonly kept: boolean },
  wrong: Wrong,
): Promise<void> {
  const fact = facts.manifests.get(digest);
  if (!fact) return;
  const answer = await client.send('GET', `/v2/${facts.name}/manifests/${digest}`);
  if (answer.status === 200) {
    expectContent('manifest', answer, digest, wrong);
    if (answer.headers['content-type'] !== fact.mediaType) wrong(`manifest ${digest} has another media type`);
  }
  fact.presence = settled(`manifest ${digest}`, answer, fact.presence, kept, wrong);
}

async function lookAtBlob(
  client: Client,
  facts: RepositoryFacts,
  { digest, kept }: { readonly digest: Digest; readonly kept: boolean },
  wrong: Wrong,
): Promise<void> {
  const fact = facts.blobs.get(digest);
  if (!fact) return;
  const answer = await client.send('GET', `/v2/${facts.name}/blobs/${digest}`);
  if (answer.status === 200) expectContent('blob', answer, digest, wrong);
  fact.presence = settled(`blob ${digest}`, answer, fact.presence, kept || !fact.promiseOver, wrong);
}

/** Compares presence with what is known; gives what is known now. */
function settled(what: string, { status, body }: Answer, known: Presence, kept: boolean, wrong: Wrong): Presence {
  if (status === 200) {
    if (known === 'gone') wrong(`${what} is there again`);
    return 'there';
  }
  if (status !== 404) wrong(`${what} is answered with ${status}: ${body.toString().slice(0, 200)}`);
  else if (known === 'there' && kept) wrong(`${what} is lost`);
  return 'gone';
}

function expectContent(what: string, { status, body }: Answer, digest: Digest | undefined, wrong: Wrong): void {
  if (status !== 200) wrong(`${what} is answered with ${status}: ${body.toString().slice(0, 200)}`);
  else if (digestOf(body) !== digest) wrong(`${what} ${digest} is damaged`);
}

/** A write in doubt happened as a whole or not at all. */
function settleDoubt(facts: RepositoryFacts, wrong: Wrong): void {
  const { inDoubt } = facts;
  facts.inDoubt = undefined;
  if (!inDoubt) return;
  const there = facts.manifests.get(inDoubt.digest)?.presence === 'there';
  if (inDoubt.kind === 'put') {
    const tagged = certain(facts.tags.get(inDoubt.tag)) === inDoubt.digest;
    if (tagged !== there)
      wrong(`half of a push: tag ${tagged ? 'set' : 'not set'}, manifest ${there ? '' : 'not '}there`);
    return;
  }
  const set = inDoubt.tags.filter((tag) => certain(facts.tags.get(tag)) === inDoubt.digest);
  if (set.length !== (there ? inDoubt.tags.length : 0))
    wrong(`half of a deletion: manifest ${there ? '' : 'not '}there, ${set.length} of ${inDoubt.tags.length} tags set`);
}

async function lookAtUpload(
  client: Client,
  facts: RepositoryFacts,
  open: Parameters<typeof standsAt>[0],
  wrong: Wrong,
): Promise<void> {
  const answer = await client.send('GET', open.location);
  if (answer.status === 404 && open.ending) facts.uploads.delete(open);
  else if (answer.status !== 204) wrong(`an upload is answered with ${answer.status}`);
  else
    try {
      standsAt(open, answer);
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      wrong(error.message);
    }
}

function sampleOf(digests: readonly Digest[]): Digest[] {
  const step = Math.max(1, Math.floor(digests.length / SAMPLE));
  const first = Math.floor(Math.random() * step);
  return digests.filter((_, at) => at % step === first);
}

async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
    }),
  );
}
