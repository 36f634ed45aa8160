import type { ImageVerdict } from '../constraints/image-facts.ts';
import { projectOf } from '../model/project-name.ts';
import { compareText } from '../oci/canonical.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { judgeReference, type ReferencePolicies, toldWithReference } from '../policy/judge-reference.ts';
import type { FactsPage, ImageLine, LaterLine, LaterStep, RepositoryFacts, TagLine, UpstreamPlace } from './page.ts';
import { SLOTS, slotOf } from './slots.ts';

/** A verdict as the registry told it. */
interface ToldVerdict extends ImageVerdict {
  readonly kind: 'allow' | 'warn' | 'block';
  /** What becomes of it by time alone. */
  readonly later?: readonly LaterStep[];
}

/**
 * The verdict as it is at a moment for who refers to the image like that, for whoever cannot ask: what time alone makes of it was told
 * with it, and what policies say of references beside it. At the moment of a change it is changed.
 */
export function toldAt(
  memory: Pick<FactsMemory, 'referencePolicies'>,
  reference: Reference,
  { verdict, isArtifact }: Extract<Answer, { readonly kind: 'known' }>,
  now: number,
): ToldVerdict {
  const told = verdictAt(verdict, now);
  if (reference.digest !== undefined || isArtifact) return told;
  const policies = memory.referencePolicies(projectOf(reference.repository));
  return policies ? toldWithReference(told, judgeReference(policies, reference, now)) : told;
}

function verdictAt(verdict: ToldVerdict, now: number): ToldVerdict {
  const step = verdict.later?.findLast(([at]) => at <= now);
  if (!step) return verdict;
  const [since, kind, sentence] = step;
  return kind === 'allow' ? ALLOWED : { kind, sentence, since };
}

/** What is known of one image of this registry. */
export type Answer =
  | {
      readonly kind: 'known';
      readonly digest: Digest;
      readonly verdict: ToldVerdict;
      /** Nothing runs it. */
      readonly isArtifact: boolean;
    }
  /** It is stored, and not judged yet. */
  | { readonly kind: 'unjudged'; readonly digest: Digest }
  | { readonly kind: 'no-such-image' }
  /** The account is not about its project. */
  | { readonly kind: 'not-covered' };

/** The facts about images, as pages of a feed tell them. Every look costs a few look-ups in maps. */
export interface FactsMemory {
  /** Takes a page in. A full account replaces what was known once it is complete. */
  apply(page: FactsPage): void;
  /** True once a full account, or a snapshot of one, was taken in. */
  isFilled(): boolean;
  /** Undefined for images of other registries. */
  about(reference: Reference): Answer | undefined;
  /** Which manifest a reference names now; its own digest where it has one. */
  digestOf(reference: Reference): Digest | undefined;
  /** Where a copy of an image from elsewhere is served from here. */
  copyOf(reference: Reference): string | undefined;
  /** Why an image may run nowhere: its content is under quarantine, in whatever registry. */
  quarantineOf(reference: Reference): ImageVerdict | undefined;
  /** What the policy of a project says of references; undefined when nothing. */
  referencePolicies(project: string): ReferencePolicies | undefined;
  /** Approved trusted entries, sorted. */
  trusted(): string[];
  hosts(): readonly string[];
  covers(): 'all' | ReadonlySet<string>;
  /** Number of images known, or that a tag points at. */
  images(): number;
  /** Grows with every change of a slot, for those who keep copies. */
  version(slot: number | 'head'): number;
  /** Everything in a slot, as a page tells it. */
  repositoriesIn(slot: number): RepositoryFacts[];
  /** Everything that is in no slot. */
  head(): Head;
}

export type Head = Pick<FactsPage, 'hosts' | 'covers' | 'trusted' | 'quarantined' | 'upstreams' | 'references'>;

/** An image, and what is answered about it: `absent` while a tag points at what nothing was told about, or what is gone. */
interface Stored {
  readonly digest: Digest;
  kind: 'known' | 'unjudged' | 'absent';
  verdict: ToldVerdict;
  isArtifact: boolean;
  /** How many tags point here. */
  tags: number;
}

interface Known {
  /** By tag. */
  readonly tags: Map<string, Stored>;
  /** By digest. */
  readonly images: Map<string, Stored>;
}

interface State {
  covers: 'all' | ReadonlySet<string>;
  hosts: readonly string[];
  readonly trusted: Set<string>;
  /** By digest. */
  readonly quarantined: Map<string, ToldVerdict>;
  /** By registry, in the order of their projects. */
  readonly mirrors: Map<string, { readonly project: string; readonly prefix: string }[]>;
  readonly upstreams: Map<string, UpstreamPlace>;
  /** By project. */
  readonly references: Map<string, ReferencePolicies>;
  readonly repositories: Map<string, Known>;
}

/** Most allowed images have nothing more to say: one value for all of them. */
const ALLOWED: ToldVerdict = { kind: 'allow', sentence: '' };

export function createFactsMemory(): FactsMemory {
  let current = emptyState();
  let hosts = new Set<string>();
  let filled = false;
  /** A full account that is not complete yet. */
  let next: State | undefined;
  const versions = Array.from({ length: SLOTS }, () => 0);
  let headVersion = 0;

  const memory: FactsMemory = {
    apply(page) {
      if (page.reset) next = { ...emptyState(), covers: page.covers === 'all' ? 'all' : new Set(page.covers) };
      const state = next ?? current;
      const headChanged = takeHead(state, page);
      for (const facts of page.repositories) {
        takeRepository(state, facts);
        if (!next) versions[slotOf(facts.name)]! += 1;
      }
      if (next && page.complete) {
        current = next;
        next = undefined;
        filled = true;
        headVersion += 1;
        for (const slot of versions.keys()) versions[slot]! += 1;
      } else if (!next && headChanged) headVersion += 1;
      if (state === current) hosts = new Set(current.hosts);
    },
    isFilled: () => filled,
    about(reference) {
      if (!hosts.has(reference.registry)) return undefined;
      const stored = find(current, reference.repository, reference);
      // As it is kept: nothing is made for an answer.
      if (stored && stored.kind !== 'absent') return stored as Answer;
      const { covers } = current;
      const project = reference.repository.slice(0, Math.max(0, reference.repository.indexOf('/')));
      return covers === 'all' || covers.has(project) ? { kind: 'no-such-image' } : { kind: 'not-covered' };
    },
    digestOf(reference) {
      if (reference.digest !== undefined) return reference.digest;
      const answer = memory.about(reference);
      return answer && 'digest' in answer ? answer.digest : undefined;
    },
    copyOf(reference) {
      const mirrors = current.mirrors.get(reference.registry);
      const [host] = current.hosts;
      if (!mirrors || host === undefined) return undefined;
      for (const { project, prefix } of mirrors) {
        if (prefix !== '' && !reference.repository.startsWith(`${prefix}/`)) continue;
        const path = prefix === '' ? reference.repository : reference.repository.slice(prefix.length + 1);
        // Official images of Docker Hub may have been pulled with or without `library/`.
        const short = path.startsWith('library/') ? [`${project}/${path.slice('library/'.length)}`] : [];
        for (const name of [...short, `${project}/${path}`])
          if (isStored(find(current, name, reference))) return `${host}/${name}${suffixOf(reference)}`;
      }
      return undefined;
    },
    quarantineOf(reference) {
      const digest = memory.digestOf(reference);
      const told = digest && current.quarantined.get(digest);
      if (told) return told;
      const answer = memory.about(reference);
      return answer?.kind === 'known' && answer.verdict.quarantined ? answer.verdict : undefined;
    },
    referencePolicies: (project) => current.references.get(project),
    trusted: () => [...current.trusted].sort(compareText),
    hosts: () => current.hosts,
    covers: () => current.covers,
    images: () => current.repositories.values().reduce((sum, { images }) => sum + images.size, 0),
    version: (slot) => (slot === 'head' ? headVersion : (versions[slot] ?? 0)),
    repositoriesIn: (slot) =>
      [...current.repositories].flatMap(([name, known]) => (slotOf(name) === slot ? [factsOf(name, known)] : [])),
    head: () => ({
      hosts: current.hosts,
      covers: current.covers === 'all' ? 'all' : [...current.covers],
      trusted: [...current.trusted].map((entry) => [entry, true]),
      quarantined: [...current.quarantined].map(([digest, { since, sentence }]) => [digest, since ?? 0, sentence]),
      upstreams: [...current.upstreams].map(([project, place]) => ({ project, place })),
      references: [...Map.groupBy(current.references.keys(), (project) => current.references.get(project))].map(
        ([policies = null, projects]) => ({ projects, policies }),
      ),
    }),
  };
  return memory;
}

function emptyState(): State {
  return {
    covers: new Set(),
    hosts: [],
    trusted: new Set(),
    quarantined: new Map(),
    mirrors: new Map(),
    upstreams: new Map(),
    references: new Map(),
    repositories: new Map(),
  };
}

/** True when anything is different afterwards. */
function takeHead(state: State, page: FactsPage): boolean {
  const hostsChanged = page.hosts.join(' ') !== state.hosts.join(' ');
  state.hosts = page.hosts;
  for (const [entry, trusted] of page.trusted) {
    if (trusted) state.trusted.add(entry);
    else state.trusted.delete(entry);
  }
  for (const [digest, since, sentence = ''] of page.quarantined ?? []) {
    if (since === null) state.quarantined.delete(digest);
    else state.quarantined.set(digest, { kind: 'block', sentence, since, quarantined: true });
  }
  for (const { project, place } of page.upstreams) {
    if (place) state.upstreams.set(project, place);
    else state.upstreams.delete(project);
  }
  for (const { projects, policies } of page.references ?? [])
    for (const project of projects) {
      if (policies) state.references.set(project, policies);
      else state.references.delete(project);
    }
  if (page.upstreams.length > 0) {
    state.mirrors.clear();
    for (const [project, { registry, prefix }] of [...state.upstreams].sort(([a], [b]) => compareText(a, b))) {
      const known = state.mirrors.get(registry);
      if (known) known.push({ project, prefix });
      else state.mirrors.set(registry, [{ project, prefix }]);
    }
  }
  const told = [page.trusted, page.upstreams, page.quarantined ?? [], page.references ?? []];
  return hostsChanged || told.some(({ length }) => length > 0);
}

function takeRepository(state: State, { name, gone, tags, images, later, ...more }: RepositoryFacts): void {
  if (gone) state.repositories.delete(name);
  const known = state.repositories.get(name) ?? { tags: new Map(), images: new Map() };
  const steps = new Map(later);
  const quarantined = new Set(more.quarantined);
  const artifacts = new Set(more.artifacts);
  for (const line of images) {
    const [image] = line;
    const isArtifact = artifacts.has(image);
    takeImage(known, line, { later: steps.get(image), quarantined: quarantined.has(image), isArtifact });
  }
  for (const line of tags) takeTag(known, line);
  if (known.tags.size + known.images.size > 0) state.repositories.set(name, known);
  else state.repositories.delete(name);
}

function takeTag({ tags, images }: Known, [tag, text]: TagLine): void {
  const before = tags.get(tag);
  const digest = text === null ? undefined : tryParseDigest(text);
  if (before && before.digest === digest) return;
  if (before) {
    before.tags -= 1;
    forget(images, before);
    tags.delete(tag);
  }
  if (!digest) return;
  const stored = storedAt(images, digest);
  stored.tags += 1;
  tags.set(tag, stored);
}

interface Beside {
  readonly later: readonly LaterStep[] | undefined;
  readonly quarantined: boolean;
  readonly isArtifact: boolean;
}

function takeImage({ images }: Known, line: ImageLine, { later, quarantined, isArtifact }: Beside): void {
  const [text, kind, since = 0, sentence = ''] = line;
  const digest = tryParseDigest(text);
  if (!digest) return;
  const stored = storedAt(images, digest);
  stored.kind = kind === null ? 'absent' : kind === 'unjudged' ? kind : 'known';
  const now: ToldVerdict =
    kind === 'warn' || kind === 'block' ? { kind, sentence, since, ...(quarantined ? { quarantined } : {}) } : ALLOWED;
  stored.isArtifact = isArtifact;
  stored.verdict = later ? { ...now, later } : now;
  forget(images, stored);
}

function storedAt(images: Map<string, Stored>, digest: Digest): Stored {
  const known = images.get(digest);
  if (known) return known;
  const stored: Stored = { digest, kind: 'absent', verdict: ALLOWED, isArtifact: false, tags: 0 };
  images.set(digest, stored);
  return stored;
}

/** What is not stored and what no tag points at is nothing. */
function forget(images: Map<string, Stored>, { digest, kind, tags }: Stored): void {
  if (kind === 'absent' && tags === 0) images.delete(digest);
}

function find(state: State, repository: string, { digest, tag }: Reference): Stored | undefined {
  const known = state.repositories.get(repository);
  return digest === undefined ? known?.tags.get(tag ?? 'latest') : known?.images.get(digest);
}

function isStored(stored: Stored | undefined): boolean {
  return stored !== undefined && stored.kind !== 'absent';
}

function factsOf(name: string, { tags, images }: Known): RepositoryFacts {
  const later = [...images.values()].flatMap(({ digest, kind, verdict }): LaterLine[] =>
    kind === 'known' && verdict.later ? [[digest, verdict.later]] : [],
  );
  const quarantined = [...images.values()].flatMap(({ digest, verdict }) => (verdict.quarantined ? [digest] : []));
  const artifacts = [...images.values()].flatMap(({ digest, isArtifact }) => (isArtifact ? [digest] : []));
  return {
    name,
    tags: [...tags].map(([tag, { digest }]) => [tag, digest]),
    images: [...images.values()].flatMap(({ digest, kind, verdict }): ImageLine[] => {
      if (kind === 'absent') return [];
      if (kind === 'unjudged') return [[digest, kind]];
      if (verdict.kind === 'allow') return [[digest, verdict.kind]];
      return [[digest, verdict.kind, verdict.since ?? 0, verdict.sentence]];
    }),
    ...(later.length === 0 ? {} : { later }),
    ...(quarantined.length > 0 ? { quarantined } : {}),
    ...(artifacts.length > 0 ? { artifacts } : {}),
  };
}

function suffixOf(reference: Reference): string {
  const tag = reference.tag ?? (reference.digest ? undefined : 'latest');
  return `${tag === undefined ? '' : `:${tag}`}${reference.digest ? `@${reference.digest}` : ''}`;
}
