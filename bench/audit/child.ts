import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { SERVER_PROCESS } from '../server-process.ts';

/** A measured process that prints a line of JSON for each thing it did. */
export interface Measured {
  /** The next line. Throws when the process ended instead. */
  next<Line>(): Promise<Line>;
  /** Has it do the next thing. */
  go(): void;
  /** Ends its input and waits for its end. */
  end(): Promise<void>;
}

/** Starts a script of this folder in a process of its own, with the memory settings of the server. */
export function startMeasured(script: string, args: readonly string[]): Measured {
  const child: ChildProcess = spawn(
    process.execPath,
    [...SERVER_PROCESS.options, join(import.meta.dirname, script), ...args],
    {
      env: { ...process.env, ...SERVER_PROCESS.environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  if (!child.stdout || !child.stdin) throw new Error(`${script} has no streams`);
  const { stdin } = child;
  const lines: Interface = createInterface({ input: child.stdout });
  const read = lines[Symbol.asyncIterator]();
  return {
    async next<Line>() {
      const line = await read.next();
      if (line.done) throw new Error(`${script} ended before it was done`);
      return JSON.parse(line.value) as Line;
    },
    go: () => void stdin.write('\n'),
    async end() {
      stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
