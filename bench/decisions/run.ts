import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../../src/db/engine.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { buildAdvisoryDatabase } from '../../src/scanner/advisories/build.ts';
import { dataPath, hasData } from '../../test/support/data.ts';
import { checkoutLine, machineLine } from '../machine.ts';
import { table } from '../print.ts';
import { exceptionsRow } from './exceptions.ts';
import { findingsRow } from './findings.ts';
import { grantRow } from './grant.ts';
import { policyChangeRow } from './policy-change.ts';
import { type Figure, type Row, tableOf } from './row.ts';
import { simulateRow } from './simulate.ts';
import { whyRow } from './why.ts';
import { openWorld } from './world.ts';

// As the program does: simulations start with what was compiled before.
enableCompileCache();

const ROWS: readonly Row[] = [simulateRow, policyChangeRow, grantRow, exceptionsRow, whyRow, findingsRow];
const ENGINES: readonly Engine[] = ['sqlite', 'postgres'];
const SIZES = { images: 10_000, pods: 5000 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string', default: 'sqlite' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    advisories: { type: 'string' },
  },
});
const engine = ENGINES.find((name) => name === values.database);
if (engine === undefined) throw new Error(`--database ${values.database} is unknown: give ${ENGINES.join(' or ')}`);
const scale = numberOf('scale', values.scale);
const rounds = numberOf('rounds', values.rounds);
const rows = positionals.length === 0 ? ROWS : positionals.map(rowNamed);
if (!hasData) throw new Error('real package lists are needed: set BREAKWATER_TEST_DATA to the folder of the test data');

const folder = await mkdtemp(join(tmpdir(), 'breakwater-decisions-'));
try {
  console.log(`${await checkoutLine()}\nMachine: ${machineLine()}`);
  const advisories = values.advisories ?? join(folder, 'advisories.sqlite');
  if (values.advisories === undefined)
    await buildAdvisoryDatabase({ from: dataPath('.'), out: advisories, clock: systemClock });
  const sizes = { images: Math.round(SIZES.images * scale), pods: Math.round(SIZES.pods * scale) };
  const world = await openWorld(engine, folder, advisories, sizes);
  try {
    console.log(`${engine}: ${sizes.images} images, ${await findingsOf(world)} findings, ${sizes.pods} pods\n`);
    const heading = ['what', 'median', 'spread', 'rounds', 'goal', ''];
    const lines: string[][] = [];
    for (const row of rows) {
      const figures: (readonly Figure[])[] = [];
      for (let round = 0; round < rounds; round += 1) figures.push(await row.measure(world, round));
      lines.push(...tableOf(figures));
    }
    console.log(table([heading, ...lines]));
    for (const row of rows) for (const line of row.slowest?.() ?? []) console.log(line);
  } finally {
    await world.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text} is no number above 0`);
  return value;
}

function rowNamed(name: string): Row {
  const row = ROWS.find((one) => one.name === name);
  if (!row) throw new Error(`there is no row "${name}"; there are: ${ROWS.map((one) => one.name).join(', ')}`);
  return row;
}

async function findingsOf({ db }: Awaited<ReturnType<typeof openWorld>>): Promise<number> {
  let findings = 0;
  const rows = await db.selectFrom('verdicts').select('document').limit(500).execute();
  for (const { document } of rows) findings += (JSON.parse(document) as { counts: { total: number } }).counts.total;
  const { count } = await db
    .selectFrom('verdicts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Math.round((findings / rows.length) * count);
}
