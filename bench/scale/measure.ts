import { performance } from 'node:perf_hooks';
import type { Reply, Wire } from '../../test/support/wire.ts';
import { median } from '../figures.ts';

/** One line of the table. */
export interface Measured {
  readonly what: string;
  readonly ms: number;
  /** What it takes when nobody else uses the machine. */
  readonly quickestMs?: number;
  readonly worstMs?: number;
  /** What we want it to stay below. */
  readonly goalMs?: number;
}

/** The middle time of some requests, all of which must succeed. */
export async function timed(
  what: string,
  requests: readonly (() => Promise<Reply>)[],
  goalMs?: number,
): Promise<Measured> {
  const times: number[] = [];
  for (const send of requests) {
    const began = performance.now();
    const reply = await send();
    times.push(performance.now() - began);
    if (reply.status >= 300) throw new Error(`${what}: ${reply.status} ${reply.body.toString().slice(0, 300)}`);
  }
  return {
    what,
    ms: median(times),
    quickestMs: Math.min(...times),
    worstMs: Math.max(...times),
    ...(goalMs === undefined ? {} : { goalMs }),
  };
}

/** Follows a list to its end; gives the number of pages and entries. */
export async function walk(
  wire: Wire,
  start: string,
  entries: (body: string) => readonly unknown[],
): Promise<{ readonly pages: number; readonly count: number; readonly ms: number }> {
  const began = performance.now();
  let [pages, count] = [0, 0];
  for (let path: string | undefined = start; path !== undefined; ) {
    const reply: Reply = await wire.send('GET', path);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.body.toString().slice(0, 300)}`);
    pages += 1;
    count += entries(reply.body.toString()).length;
    path = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1];
  }
  return { pages, count, ms: performance.now() - began };
}

/** `times` requests made by number. */
export function repeat(times: number, make: (number: number) => Promise<Reply>): (() => Promise<Reply>)[] {
  return Array.from({ length: times }, (_, number) => () => make(number));
}
