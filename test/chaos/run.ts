import { argumentsOf, wrongUse } from '../support/usage.ts';
import { chaos, type Report } from './rounds.ts';
import { DATABASES } from './storage.ts';

const USAGE =
  'usage: npm run chaos -- [--rounds N] [--seed N] [--database sqlite|postgres|both] [--minutes N] [--program FILE] [--keep]';

const { values } = argumentsOf('chaos', {
  options: {
    rounds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    database: { type: 'string', default: 'both' },
    minutes: { type: 'string', default: '600' },
    program: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const databases = DATABASES.filter((name) => values.database === 'both' || values.database === name);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed) || !(minutes > 0) || databases.length === 0)
  wrongUse('chaos', USAGE);

let losses = 0;
for (const database of databases) {
  console.log(`${database}: ${rounds} rounds with seed ${seed}`);
  const began = performance.now();
  let shown = 0;
  const report = await chaos({
    database,
    rounds,
    seed,
    program: values.program,
    keep: values.keep,
    // Ends the round under way, looks at everything and reports, however many rounds were asked for.
    signal: AbortSignal.timeout(minutes * 60_000),
    onRound(round, { acknowledged, losses }) {
      for (const loss of losses.slice(shown)) console.log(`  LOST in round ${round}: ${loss}`);
      shown = losses.length;
      if (round % 50 !== 0) return;
      const minutes = ((performance.now() - began) / 60_000).toFixed(1);
      console.log(`  ${round} rounds, ${minutes} min, ${acknowledged} acknowledged, ${losses.length} losses`);
    },
  });
  print({ report, shown, kept: values.keep }, (performance.now() - began) / 1000);
  losses += report.losses.length;
}
process.exitCode = losses === 0 ? 0 : 1;

function print(
  { report, shown, kept }: { readonly report: Report; readonly shown: number; readonly kept: boolean },
  seconds: number,
): void {
  const { kills, recount } = report;
  console.log(
    `  rounds        ${report.rounds} in ${Math.round(seconds / 60)} min (${(seconds / report.rounds).toFixed(2)} s each)`,
  );
  console.log(
    `  kills -9      ${kills.server} of the server, ${kills.starting} of one that was starting, ${kills.postgres} of all of PostgreSQL, ${kills.backend} of one of its backends`,
  );
  console.log(`  days passed   ${report.daysPassed} (so that garbage collection takes what was promised)`);
  console.log(`  acknowledged  ${report.acknowledged} requests`);
  console.log(`  in doubt      ${report.inDoubt} were cut off, ${report.refused} answered 503 with Retry-After`);
  console.log(
    `  longest start ${Math.round(report.longestStartMs)} ms, of processor time ${report.longestStartCpuMs} ms`,
  );
  if (recount) {
    const rows = Object.entries(recount.rows).map(([table, count]) => `${count} ${table}`);
    console.log(
      `  at the end    ${recount.scrubbed} blobs read again, ${recount.ledgerEntries} lines of the ledger in order`,
    );
    const { manifests, unlinked, blobs } = recount.collected;
    console.log(
      `  collected     ${manifests} manifests, ${unlinked} blobs out of a repository, ${blobs} blobs altogether`,
    );
    console.log(`  rows          ${rows.join(', ')}; ${recount.filesWithoutRow} files of blobs without a row`);
  }
  for (const loss of report.losses.slice(shown)) console.log(`  LOST at the end: ${loss}`);
  console.log(`  losses        ${report.losses.length}`);
  if (kept) console.log(`  data          ${report.dataDir}`);
}
