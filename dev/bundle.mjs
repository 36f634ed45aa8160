// Puts src/ and the packages it needs into the few files of dist/ that bin/breakwater.mjs prefers: loading a thousand modules one by one, types and
// all, costs a short command more than its work does, and a server the memory of all that it never uses. Takes two seconds, and nothing when no source was edited since; `npm ci`, and every
// script and test that starts the program, run it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { ascii } from './ascii.mjs';
import { writeSnapshot } from './snapshot.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Where a thread is started; its module becomes an entry of its own. */
const WORKER = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;
/** What stays where npm put it: native programs, what finds files of its own beside it, and what few have a use for. */
const APART = /^(@node-rs|@aws-sdk|@smithy|pino|thread-stream|sonic-boom|pg-native|node:)/;
const COMMAND = join(root, 'src/cli/main.ts');
/** The command whose start is waited for most often: what it loads beyond what every command does becomes one file. */
const SCAN = join(root, 'src/cli/commands/scan.ts');
/** What a scan of a file may call for beyond that. */
const OF_SCAN = ['cli/report-error.ts', 'cli/scan/render.ts', 'cli/scan/sarif.ts', 'scanner/sbom-read/read-sbom.ts', 'scanner/sbom-write/index.ts'].map(
  (path) => join(root, 'src', path),
);

if (process.argv[1] === import.meta.filename) await bundle();

/** Makes dist/ when it is not current. */
export default async function bundle() {
  if (isCurrent()) return;
  const { rolldown } = await import('rolldown').catch(() => ({}));
  if (!rolldown) {
    console.log('breakwater: the bundler is not installed (npm ci --omit=dev), so the program runs from its sources');
    return;
  }
  const built = await mkdtemp(`${dist}.`);
  try {
    await write(rolldown, built);
    // Whoever may run the program may read it, also where another account installed it.
    await chmod(built, 0o755);
    // Whoever makes it at the same time makes the same.
    await rm(dist, { recursive: true, force: true });
    await rename(built, dist).catch((error) => existsSync(dist) || Promise.reject(error));
  } finally {
    await rm(built, { recursive: true, force: true });
  }
}

function isCurrent() {
  try {
    const { builtAt, inputs } = JSON.parse(readFileSync(join(dist, 'built.json'), 'utf8'));
    return inputs.every((path) => statSync(join(root, path)).mtimeMs < builtAt);
  } catch {
    return false;
  }
}

async function write(rolldown, dir) {
  const builtAt = Date.now();
  let ofScan = new Set();
  let called = [];
  const build = await rolldown({
    cwd: root,
    input: { main: 'src/main.ts' },
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    external: APART,
    plugins: [
      {
        name: 'breakwater',
        transform: bundleWorkers,
        generateBundle(_, files) {
          for (const file of Object.values(files)) if (file.type === 'chunk') file.code = ascii(file.code);
        },
        buildEnd() {
          const parser = this.getModuleInfo(COMMAND).dynamicallyImportedIds.filter((id) => id.includes('node_modules'));
          const everyCommand = imported(this, [COMMAND, ...parser]);
          const calledForByScan = this.getModuleInfo(SCAN).dynamicallyImportedIds;
          ofScan = imported(this, [SCAN, ...calledForByScan]);
          called = [...parser, SCAN, ...calledForByScan, ...OF_SCAN];
          for (const id of everyCommand) ofScan.delete(id);
        },
      },
    ],
    onLog: (level, log, report) => log.code === 'INEFFECTIVE_DYNAMIC_IMPORT' || report(level, log),
  });
  const { output } = await build.write({
    dir,
    format: 'esm',
    comments: false,
    // In lines, with every name: an error shows where it came from.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false } },
    entryFileNames: '[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: 'scan', test: (id) => ofScan.has(id) }],
    },
  });
  await build.close();
  const without = await writeSnapshot(rolldown, { root, dir, held: new Set(called), main: COMMAND });
  if (without) console.log(`breakwater: scans start without a snapshot: ${without}`);
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : [])).filter(isAbsolute);
  const inputs = ['package-lock.json', 'dev/ascii.mjs', 'dev/bundle.mjs', 'dev/snapshot.mjs', 'dev/snapshot-file.mjs', ...modules.map((path) => relative(root, path))];
  await writeFile(join(dir, 'built.json'), JSON.stringify({ builtAt, inputs }));
}

function bundleWorkers(code, id) {
  return code.replaceAll(WORKER, (_, name) => {
    this.emitFile({ type: 'chunk', id: join(id, '..', `${name}.ts`), fileName: `${name}.js` });
    return `new URL('./${name}.js', import.meta.url)`;
  });
}

/** The modules that are loaded with these, without those loaded only when called for. */
function imported(build, ids, found = new Set()) {
  for (const id of ids) {
    if (found.has(id) || !isAbsolute(id)) continue;
    found.add(id);
    imported(build, build.getModuleInfo(id).importedIds, found);
  }
  return found;
}
