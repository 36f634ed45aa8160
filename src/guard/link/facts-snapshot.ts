import { z } from 'zod';
import { factsPage } from '../../api/contract/guard-feed.ts';
import type { FactsMemory } from '../../facts/memory.ts';
import type { FactsPage } from '../../facts/page.ts';
import { SLOTS } from '../../facts/slots.ts';
import type { SnapshotParts } from '../snapshot/sections.ts';

export interface FactsSnapshotDeps {
  readonly memory: FactsMemory;
  /** Address of the server: facts of another one are not taken. */
  readonly server: string;
  /** Epoch ms. */
  readonly now: () => number;
  cursor(): string | undefined;
  asOf(): number | undefined;
  /** Where to go on from, and when the facts were known to be complete (epoch ms). */
  loaded(from: { readonly cursor: string; readonly asOf: number }): void;
}

/** How old the facts are is written as seldom as this while nothing else changes. */
const AGE_MS = 10 * 60_000;
/** Images in a part, about. */
const IMAGES = 4000;
const HEAD = 'head';
/** No feed can go on from there. */
const ANEW = 'anew';
const NOTHING = { trusted: [], upstreams: [], repositories: [] } as const;

const headSchema = z.object({
  server: z.string(),
  asOf: z.number().int().nonnegative(),
  cursor: z.string().min(1).max(2048),
  page: z.unknown(),
  /** How many parts there are beside this one. */
  groups: z.number().int().min(1).max(SLOTS),
});

/** Keeps the facts in parts of repositories, so that a push changes one of them. */
export function factsSnapshot(deps: FactsSnapshotDeps): SnapshotParts {
  const { memory, server } = deps;

  return {
    parts() {
      const asOf = deps.asOf();
      const cursor = deps.cursor();
      // What is not complete would be taken for it.
      if (!memory.isFilled() || asOf === undefined || cursor === undefined) return [];
      const groups = groupsFor(memory.images());
      const versions = Array.from({ length: groups }, (_, group) =>
        slotsOf(group, groups).reduce((sum, slot) => sum + memory.version(slot), 0),
      );
      const version = `${groups} ${memory.version('head')} ${versions.join(' ')} ${Math.floor(asOf / AGE_MS)}`;
      // The cursor first: telling again what is newer than it changes nothing, the other way round it would be missed.
      const head = { server, asOf, cursor, groups, page: memory.head() };
      return [
        { key: HEAD, version, save: () => head },
        ...versions.map((groupVersion, group) => ({
          key: String(group),
          version: `${groups} ${groupVersion}`,
          save: () => slotsOf(group, groups).flatMap((slot) => memory.repositoriesIn(slot)),
        })),
      ];
    },
    load(parts) {
      const head = headSchema.parse(parts.get(HEAD));
      if (head.server !== server) throw new Error(`it is about ${JSON.stringify(head.server.slice(0, 200))}`);
      if (head.asOf > deps.now() + AGE_MS) throw new Error('it was written in the future');
      const { cursor } = head;
      const first = { ...NOTHING, ...objectOf(head.page), reset: true, complete: false, cursor };
      const pages: FactsPage[] = [factsPage.parse(first)];
      for (let group = 0; group < head.groups; group += 1) {
        const repositories = parts.get(String(group));
        const page = { ...NOTHING, hosts: pages[0]?.hosts, repositories, cursor, complete: group === head.groups - 1 };
        pages.push(factsPage.parse(page));
      }
      // All of it was checked, so that nothing half is taken.
      for (const page of pages) memory.apply(page);
      // A guard that did not know what is said of references has passed over it: all is to be told anew.
      const isWhole = pages[0]?.references !== undefined;
      deps.loaded({ cursor: isWhole ? cursor : ANEW, asOf: head.asOf });
    },
  };
}

/** A power of two that divides the slots. */
function groupsFor(images: number): number {
  let groups = 1;
  while (groups < SLOTS && images / groups > IMAGES) groups *= 2;
  return groups;
}

function slotsOf(group: number, groups: number): number[] {
  const size = SLOTS / groups;
  return Array.from({ length: size }, (_, at) => group * size + at);
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
