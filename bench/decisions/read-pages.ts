import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FindingQuery } from '../../src/findings/list.ts';
import { SERVER_PROCESS } from '../server-process.ts';
import type { Reading } from './pages-process.ts';
import type { Timed } from './slowest.ts';

const PROGRAM = join(import.meta.dirname, 'pages-process.ts');

/**
 * Times pages in a process of its own, started as the server is: in this one every collection of the heap goes over all that was made to be
 * measured. Throws when a page has no place.
 */
export async function readPages(reading: Reading): Promise<readonly Timed<FindingQuery>[]> {
  const { options, environment } = SERVER_PROCESS;
  const child = fork(PROGRAM, [], { execArgv: options, env: { ...process.env, ...environment } });
  child.send(reading);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process that reads pages ended with ${code}`);
  });
  const told = once(child, 'message').then(([times]) => times as readonly Timed<FindingQuery>[]);
  return Promise.race([told, ended]);
}
