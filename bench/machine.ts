import { arch, cpus, release, totalmem } from 'node:os';
import { basename } from 'node:path';
import { run } from '../test/support/program.ts';

/** One line that says on what the figures were measured. */
export function machineLine(): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${process.platform} ${release()} ${arch()}, Node ${process.versions.node}`;
}

/** The first line a program prints about its version; throws when it cannot say. */
export async function versionOf(program: string, args: readonly string[]): Promise<string> {
  const outcome = await run(program, args);
  const line = outcome.stdout.trim().split('\n')[0] ?? '';
  if (outcome.code !== 0 || line === '') throw new Error(`${program} does not say its version: ${outcome.screen}`);
  return line.replace(program, basename(program));
}

/** One line that says what was measured, and when. */
export async function checkoutLine(): Promise<string> {
  const outcome = await run('git', ['log', '-1', '--format=%h'], { folder: import.meta.dirname });
  const commit = outcome.code === 0 ? `commit ${outcome.stdout.trim()}` : 'no commit known';
  return `Breakwater, ${commit}, ${new Date().toISOString().slice(0, 16)}Z`;
}
