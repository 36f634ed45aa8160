import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { argumentsOf, wrongUse } from '../../test/support/usage.ts';
import { TARGETS } from './targets.ts';
import { caseOf } from './worker.ts';

const { values } = argumentsOf('fuzz', {
  options: {
    minutes: { type: 'string', default: '5' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

type Message =
  | { readonly kind: 'ready'; readonly samples: number }
  | { readonly kind: 'at'; readonly turn: number; readonly cpu: { readonly user: number; readonly system: number } }
  | {
      readonly kind: 'failed';
      readonly turn: number;
      readonly problem: string;
      readonly path: string;
      readonly bytes: string;
    };

interface Outcome {
  readonly cases: number;
  readonly cpuSeconds: number;
  readonly samples: number;
  readonly problem?: string;
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  return number > 0 && Number.isFinite(number) ? number : wrongUse('fuzz', `--${option} takes a number above 0`);
}

/** A case that does not end, in a machine full of other work. */
const HANGS_MS = 120_000;
const ROOT = resolve(import.meta.dirname, '../..');
const SEEDS = join(import.meta.dirname, 'seeds');

/**
 * One target for some time, in a process of its own: with little memory, and without the right to write anywhere but in a
 * folder that is removed afterwards. A failure is saved as a seed.
 */
async function fuzz(name: string, milliseconds: number, seed: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-fuzz-'));
  const child = fork(join(import.meta.dirname, 'worker.ts'), [name, String(seed)], {
    execArgv: ['--permission', '--allow-fs-read=*', `--allow-fs-write=${folder}`, '--max-old-space-size=512'],
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let turn = 0;
  let samples = 0;
  let cpuSeconds = 0;
  let problem: string | undefined;
  let heard = Date.now();
  let ending = false;
  let stop: NodeJS.Timeout | undefined;
  child.on('message', (message: Message) => {
    heard = Date.now();
    if (message.kind === 'ready') {
      samples = message.samples;
      stop = setTimeout(end, milliseconds);
    } else turn = message.turn;
    if (message.kind === 'at') cpuSeconds = (message.cpu.user + message.cpu.system) / 1e6;
    if (message.kind === 'failed') {
      problem = message.problem;
      save(name, message.path, Buffer.from(message.bytes, 'base64'));
    }
  });
  const end = () => {
    ending = true;
    child.kill('SIGKILL');
  };
  const watch = setInterval(() => {
    if (Date.now() - heard < HANGS_MS) return;
    problem = `no case ended for ${HANGS_MS / 1000} s`;
    child.kill('SIGKILL');
  }, 1000);
  const code = await new Promise<number | null>((done) => child.on('exit', done));
  clearTimeout(stop);
  clearInterval(watch);
  rmSync(folder, { recursive: true, force: true });
  if (!ending && problem === undefined && code !== 0) problem = `the process ended with code ${code}`;
  if (problem !== undefined && !ending) await saveSuspect(name, seed, turn);
  return { cases: turn, cpuSeconds, samples, ...(problem === undefined ? {} : { problem }) };
}

/** What killed a process is the case told last; kept for a look, as one soon after it may be the one. */
async function saveSuspect(name: string, seed: number, turn: number): Promise<void> {
  const target = TARGETS.find((one) => one.name === name);
  if (!target) return;
  const { path, bytes } = caseOf(target, await target.samples(), seed, turn);
  save(name, path, bytes);
}

function save(target: string, path: string, bytes: Buffer): void {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = join(SEEDS, `${target}-${hash}.json`);
  writeFileSync(file, `${JSON.stringify({ target, path, gzip: gzipSync(bytes).toString('base64') })}\n`);
  console.log(`saved ${file.slice(ROOT.length + 1)}`);
}

const wanted = TARGETS.filter(({ name }) => !values.target || values.target.some((part) => name.includes(part)));
for (const part of values.target ?? [])
  if (!TARGETS.some(({ name }) => name.includes(part)))
    wrongUse('fuzz', `there is no target ${part}; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
const each = (numberOf('minutes', values.minutes) * 60_000) / wanted.length;
const seed = numberOf('seed', values.seed);
console.log(`seed ${seed}: ${wanted.length} targets, ${Math.round(each / 1000)} s each`);
let total = 0;
let failed = 0;
for (const { name } of wanted) {
  const { cases, cpuSeconds, samples, problem } = await fuzz(name, each, seed);
  total += cpuSeconds;
  const text = problem === undefined ? 'ok' : `FAILED: ${problem}`;
  if (problem !== undefined) failed += 1;
  console.log(
    `${name.padEnd(24)} ${String(samples).padStart(3)} samples ${String(cases).padStart(9)} cases ${cpuSeconds.toFixed(0).padStart(5)} s  ${samples === 0 ? 'NO SAMPLES' : text}`,
  );
}
console.log(`${(total / 60).toFixed(1)} processor minutes, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
