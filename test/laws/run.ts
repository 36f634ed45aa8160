// Checks the laws of risk decisions and prints each with its number of cases and the seed. `--seed N` repeats a run.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, check, type Law } from './law.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, law: { type: 'string' }, cases: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!Number.isInteger(seed)) throw new Error('--seed takes a whole number');

const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.law.ts'))
  .sort();
const laws: Law[] = [];
for (const file of files) {
  const module = (await import(join(import.meta.dirname, file))) as { readonly laws: readonly Law[] };
  laws.push(...module.laws);
}

const wanted = laws
  .filter(({ number }) => values.law === undefined || number === Number(values.law))
  .sort((a, b) => a.number - b.number);
let failed = wanted.length === 0;
for (const law of wanted) {
  const cases = Number(values.cases ?? law.cases ?? CASES);
  const start = performance.now();
  const broken = await check(law, seed, cases);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const count = (cases * (law.comparisons ?? 1)).toLocaleString('en');
  process.stdout.write(
    `${broken ? 'BROKEN' : 'holds '}  law ${law.number} · ${law.says} · ${count} cases · seed ${seed} · ${seconds} s\n`,
  );
  if (broken) process.stdout.write(`${broken}\n`);
  failed ||= broken !== undefined;
}
process.exitCode = failed ? 1 : 0;
