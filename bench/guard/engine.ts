import { join } from 'node:path';
import { gatekeeperLibrary } from '../../test/support/gatekeeper.ts';
import { findPeer, requirePeer } from '../../test/support/peers.ts';
import { run } from '../../test/support/program.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/breakwater.mjs');

/** Reviews a second of an engine alone: no HTTP, no TLS, one worker. */
export interface EngineRuns {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** `gator bench` of both over the template of the library, one constraint and one pod, alternating. Empty when gator was not built. */
export async function benchEngines(rounds: number, iterations: number): Promise<EngineRuns> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await perSecond(process.execPath, [PROGRAM, 'gator', 'bench'], iterations));
    if (findPeer('gator') !== undefined)
      theirs.push(await perSecond(requirePeer('gator'), ['bench', '--engine=rego'], iterations));
  }
  return { ours, theirs };
}

async function perSecond(program: string, words: readonly string[], iterations: number): Promise<number> {
  const files = [
    join(gatekeeperLibrary(), 'library/general/allowedrepos/template.yaml'),
    join(import.meta.dirname, '../gator/constraint.yaml'),
    join(import.meta.dirname, '../gator/pod.yaml'),
  ].map((file) => `--filename=${file}`);
  const args = [...words, ...files, `--iterations=${iterations}`, '--output=json'];
  const { code, stdout, screen } = await run(program, args, { timeout: 600_000 });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}:\n${screen}`);
  const found = /"reviewsPerSecond":\s*([\d.eE+]+)/i.exec(stdout);
  if (!found) throw new Error(`${program} bench does not say its reviews a second:\n${stdout}`);
  return Number(found[1]);
}
