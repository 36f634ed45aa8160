import type { Subject } from './subjects.ts';

type Page = readonly Subject[];

/** Pages read before somebody wants them: enough for one way to go on while another has a large repository. */
const MOST_HELD = 100;

export interface DividedPages {
  readonly ways: readonly AsyncGenerator<Page, undefined>[];
  /** Nothing more is read. */
  readonly stop: () => void;
}

/**
 * Shares pages out among so many, who take them as fast as they can: pages that have a repository in common go the same way in their order.
 * In the pages all of a repository stands together.
 */
export function dividePages(pages: AsyncIterator<Page, undefined>, ways: number): DividedPages {
  const queues = Array.from({ length: ways }, (): Page[] => []);
  let before: { readonly way: number; readonly repositoryId: string | undefined } | undefined;
  let ended = false;
  let reading: Promise<void> | undefined;
  let taken = Promise.withResolvers<void>();

  async function read(): Promise<void> {
    const { value, done } = await pages.next();
    if (done) {
      stop();
      return;
    }
    const goesOn = before !== undefined && value[0]?.repositoryId === before.repositoryId;
    const way = goesOn && before ? before.way : shortest();
    queues[way]?.push(value);
    before = { way, repositoryId: value.at(-1)?.repositoryId };
  }

  function shortest(): number {
    const lengths = queues.map((queue) => queue.length);
    return lengths.indexOf(Math.min(...lengths));
  }

  function stop(): void {
    ended = true;
    taken.resolve();
  }

  async function* along(queue: Page[]): AsyncGenerator<Page, undefined> {
    for (;;) {
      const page = queue.shift();
      if (page) {
        taken.resolve();
        taken = Promise.withResolvers();
        yield page;
      } else if (ended) return undefined;
      else if (queues.reduce((held, { length }) => held + length, 0) >= MOST_HELD) await taken.promise;
      else {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
      }
    }
  }

  return { ways: queues.map(along), stop };
}
