import { execFile } from 'node:child_process';
import { basename } from 'node:path';

export interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Exit codes that are no failure: scanners end with 1 when they found something. */
  readonly accepted?: readonly number[];
}

const LARGEST_OUTPUT = 1024 ** 3;

/** What a program prints. Rejects with its last words when it ends with another code than the accepted ones. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { environment = {}, accepted = [0] } = options;
  return new Promise((resolve, reject) => {
    const settings = { env: { ...process.env, ...environment }, maxBuffer: LARGEST_OUTPUT };
    execFile(program, [...args], settings, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      if (typeof code === 'number' && accepted.includes(code)) resolve(stdout);
      else reject(new Error(`${program} ended with ${code}: ${stderr.trim().split('\n').slice(-3).join(' ')}`));
    });
  });
}

/** Version of the main module, or of the module a program was built through, as go wrote it into the program. */
export async function builtVersion(program: string): Promise<string> {
  const name = basename(program);
  const lines = (await run('go', ['version', '-m', program])).split('\n').map((line) => line.trim().split(/\s+/));
  const line = lines.find(([kind, module]) => (kind === 'mod' || kind === 'dep') && module?.endsWith(`/${name}`));
  return line?.[2] ?? 'unknown';
}
