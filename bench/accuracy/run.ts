import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dataPath, hasData } from '../../test/support/data.ts';
import { isLeftOut } from '../../test/support/peers.ts';
import { argumentsOf, wrongUse } from '../../test/support/usage.ts';
import type { Tool, ToolReport } from './facts.ts';
import { archiveOf, checkout, imageNames, notBuilt, testImages } from './images.ts';
import { readLabels } from './labels.ts';
import type { Measured } from './measured.ts';
import { breakwater } from './peers/breakwater.ts';
import { osvScanner } from './peers/osv-scanner.ts';
import { run } from './peers/run.ts';
import { syft } from './peers/syft.ts';
import { trivy } from './peers/trivy.ts';
import { printReport } from './print.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/breakwater.mjs');

const { values } = argumentsOf('accuracy', {
  options: {
    image: { type: 'string', multiple: true },
    json: { type: 'string' },
    db: { type: 'string' },
  },
});
if (!hasData)
  wrongUse('accuracy', 'it is measured on real images: set BREAKWATER_TEST_DATA to the folder of the test data');
for (const name of values.image ?? [])
  if (!imageNames().includes(name))
    wrongUse('accuracy', `there is no image ${name}; there are ${imageNames().join(', ')}`);
if (values.db !== undefined && !existsSync(values.db)) wrongUse('accuracy', `there is no database ${values.db}`);
const missing = notBuilt(values.image);
if (missing.length > 0)
  wrongUse('accuracy', `build these images first: dev/images/images ${missing.join(' ')}; or name others with --image`);
const folder = await mkdtemp(join(tmpdir(), 'breakwater-accuracy-'));
try {
  const tools = await contenders(folder);
  const images = testImages(values.image);
  const measured: Measured[] = [];
  for (const image of images) {
    const archive = archiveOf(image, folder);
    const reports = new Map<string, ToolReport | { failed: string }>();
    for (const tool of tools)
      reports.set(tool.name, await tool.scan(archive).catch((error: Error) => ({ failed: error.message })));
    measured.push({ image, reports });
    process.stderr.write(`${image.name}\n`);
    await rm(archive);
  }
  if (values.json !== undefined)
    await writeFile(
      values.json,
      JSON.stringify(measured.map(({ image, reports }) => [image.name, Object.fromEntries(reports)])),
    );
  console.log(`Checkout ${checkout()}; ${tools.map(({ name, version }) => `${name} ${version}`).join(', ')}`);
  process.exitCode = printReport(measured, readLabels()) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function contenders(folder: string): Promise<readonly Tool[]> {
  const database = await advisories(folder);
  const version = (await run(process.execPath, [PROGRAM, '--version'])).trim();
  const peers: Readonly<Record<string, () => Promise<Tool>>> = {
    'osv-scanner': () => osvScanner(folder),
    trivy: () => trivy(folder),
    syft: () => syft(),
  };
  const tools = [breakwater(database, version)];
  for (const [name, start] of Object.entries(peers)) {
    if (isLeftOut(name)) console.log(`SKIPPED: ${name} is left out by BREAKWATER_LEAVE_OUT`);
    else tools.push(await start());
  }
  return tools;
}

async function advisories(folder: string): Promise<string> {
  if (values.db !== undefined) return values.db;
  const database = join(folder, 'advisories.sqlite');
  await run(process.execPath, [PROGRAM, 'db', 'build', '--from', dataPath(''), '--out', database]);
  return database;
}
