import { MOST_ASKED, MOST_RUNNING } from '../../api/contract/guard-feed.ts';
import { projectOf } from '../../model/project-name.ts';
import { type Reference, tryParseReference } from '../../oci/reference.ts';

/** An image of the registry, as the server is asked about it. */
export interface AskedImage {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Images of the registry that run in the cluster and are in projects the guard does not follow. */
export interface RunningElsewhere {
  /** What runs now, by the texts of workloads. True when there is something new to ask about. */
  note(images: Iterable<string>): boolean;
  /** Repositories to be told of, at most as many as the server takes. */
  repositories(): string[];
  /** Images not asked about yet, at most as many as the server takes at once. */
  unasked(): AskedImage[];
  noteAsked(asked: readonly AskedImage[]): void;
  forgetAsked(): void;
}

export interface RunningElsewhereDeps {
  /** Hosts of the registry. */
  hosts(): readonly string[];
  /** Projects followed anyway. */
  covers(): 'all' | ReadonlySet<string>;
}

export function createRunningElsewhere(deps: RunningElsewhereDeps): RunningElsewhere {
  let runs: readonly Reference[] = [];
  let asked = new Set<string>();

  /** In the order they were noted; those beyond what the server takes are left out. */
  function apart(): Map<string, AskedImage[]> {
    const hosts = new Set(deps.hosts());
    const covers = deps.covers();
    const byRepository = new Map<string, AskedImage[]>();
    if (covers === 'all') return byRepository;
    for (const { registry, repository, tag, digest } of runs) {
      if (!hosts.has(registry) || covers.has(projectOf(repository))) continue;
      const known = byRepository.get(repository);
      if (!known && byRepository.size >= MOST_RUNNING) continue;
      const image: AskedImage = { repository, ...(digest === undefined ? { tag: tag ?? 'latest' } : { digest }) };
      if (known) known.push(image);
      else byRepository.set(repository, [image]);
    }
    return byRepository;
  }

  function unasked(): AskedImage[] {
    return [...apart().values()]
      .flat()
      .filter((image) => !asked.has(keyOf(image)))
      .slice(0, MOST_ASKED);
  }

  return {
    note(images) {
      runs = [...new Set(images)].flatMap((text) => tryParseReference(text) ?? []);
      return unasked().length > 0;
    },
    repositories: () => [...apart().keys()],
    unasked,
    noteAsked(images) {
      for (const image of images) asked.add(keyOf(image));
      // What runs no more need not be remembered.
      if (asked.size > 2 * MOST_RUNNING * 10) asked = new Set();
    },
    forgetAsked() {
      asked = new Set();
    },
  };
}

function keyOf({ repository, tag, digest }: AskedImage): string {
  return `${repository}:${tag ?? ''}@${digest ?? ''}`;
}
