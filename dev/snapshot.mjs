// Makes dist/scan.blob, a start-up snapshot of Node with `breakwater scan` loaded in memory and compiled, which bin/breakwater starts from:
// reading it takes less than loading the same modules. What the snapshot lacks, and what no snapshot can hold (other processes), starts the ordinary
// program over: nothing was printed by then.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ascii } from './ascii.mjs';
import { withoutCodeCache } from './snapshot-file.mjs';

const run = promisify(execFile);
const OLDEST_NODE = 26;
const PINNED = 'node_modules/node/bin/node';
const ENTRY = '\0snapshot';
const LACKING = '\0lacking';
/** What bin/breakwater compares with dist/scan.sums: the snapshot and the program that it is of, and where that can change, the Node that it is for. */
const SUMMED = ['scan.blob', 'main.js'];
const PINNED_SAYS = '../node_modules/node/package.json';
/** What no snapshot holds, and what no scan of a file needs. */
const ABSENT = {
  'node:child_process': `import { startOver } from ${JSON.stringify(ENTRY)}; export { startOver as fork }; export default { spawn: startOver };`,
  'node:sqlite': `export function DatabaseSync(...given) { return new (process.getBuiltinModule('node:sqlite').DatabaseSync)(...given); }`,
};
/** Compiles every function before it is called, and keeps what is compiled; run when the snapshot is made. */
const LOADER = `
const v8 = require('node:v8');
v8.setFlagsFromString('--no-lazy');
v8.setFlagsFromString('--no-flush-bytecode');
const code = require('node:fs').readFileSync(require('node:path').join(__dirname, 'scan.cjs'), 'latin1');
const load = require('node:vm').compileFunction(code, ['require', 'exports', '__filename', '__dirname'], { filename: 'scan.cjs' });
v8.setFlagsFromString('--lazy');
load(require, {}, __filename, __dirname);
`;

/**
 * Writes the snapshot into the folder `dir`, and beside it its checksums and a link to the Node it is for. `held`: the modules that are in it, the entry
 * `main` and those it may import when called for included. Gives what went wrong; what runs without it is slower, not different.
 */
export async function writeSnapshot(rolldown, { root, dir, held, main }) {
  const node = nodeOf(root);
  // On Windows there is no shell that would start from it.
  if (!node || process.platform === 'win32') return undefined;
  const blob = join(dir, 'scan.blob');
  const [code, loader] = [join(dir, 'scan.cjs'), join(dir, 'load.cjs')];
  try {
    await writeFile(code, await scriptOf(rolldown, { root, held, main }));
    await writeFile(loader, LOADER);
    await run(node, ['--no-warnings', '--snapshot-blob', blob, '--build-snapshot', loader]);
    await withoutCodeCache(blob);
    await run(node, ['--snapshot-blob', blob, join(root, 'bin/breakwater.mjs'), 'scan', '--help']);
    // Another Node could become a newer one, which this snapshot is not for.
    const isPinned = node === join(root, PINNED);
    const { stdout: sums } = await run('cksum', isPinned ? [...SUMMED, PINNED_SAYS] : SUMMED, { cwd: dir });
    await writeFile(join(dir, 'scan.sums'), sums);
    if (isPinned) await symlink(join('..', PINNED), join(dir, 'node'));
    return undefined;
  } catch (error) {
    await rm(blob, { force: true });
    return String(error.stderr || error.message).trim().split('\n', 1)[0];
  } finally {
    await Promise.all([code, loader].map((path) => rm(path, { force: true })));
  }
}

function nodeOf(root) {
  const pinned = join(root, PINNED);
  if (existsSync(pinned)) return pinned;
  return Number(process.versions.node.split('.')[0]) >= OLDEST_NODE ? process.execPath : undefined;
}

/** One script with all of it. */
async function scriptOf(rolldown, { root, held, main }) {
  const build = await rolldown({
    cwd: root,
    input: { scan: ENTRY },
    platform: 'node',
    plugins: [
      {
        name: 'snapshot',
        async resolveId(source, importer, { kind }) {
          if (source === ENTRY || source in ABSENT) return source;
          const found = await this.resolve(source, importer, { skipSelf: true, kind });
          return kind === 'dynamic-import' && !held.has(found?.id) ? LACKING : found;
        },
        load(id) {
          if (id === ENTRY) return entryOf(held, main);
          if (id === LACKING) return `import { startOver } from ${JSON.stringify(ENTRY)}; startOver();`;
          return ABSENT[id];
        },
      },
    ],
    onLog: (level, log, report) => log.code === 'INEFFECTIVE_DYNAMIC_IMPORT' || report(level, log),
  });
  const { output } = await build.generate({
    format: 'cjs',
    codeSplitting: false,
    // Short, but in lines: an error shows its line.
    minify: { compress: true, mangle: true, codegen: { removeWhitespace: false } },
  });
  await build.close();
  return ascii(output[0].code);
}

function entryOf(held, main) {
  return `${[...held].map((id) => `import ${JSON.stringify(id)};`).join('\n')}
// For standard output, whatever that is.
import 'node:net';
import 'node:tty';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { startupSnapshot } from 'node:v8';
import { runCli } from ${JSON.stringify(main)};
import { INSTALLATION } from ${JSON.stringify(join(main, '../../platform/installation.ts'))};

/** The same process goes on as the ordinary program. */
export function startOver() {
  process.execve(process.execPath, [process.execPath, ...process.argv.slice(1)], process.env);
}

startupSnapshot.setDeserializeMainFunction(async () => {
  const [, program, ...argv] = process.argv;
  // A folder that was moved or copied has another snapshot than it needs. Databases are unpacked in a thread, beside files of this run.
  if (realpathSync(join(program, '../..')) !== INSTALLATION || argv.some((word) => word.startsWith('--db'))) startOver();
  const code = await runCli(argv);
  // Nothing is left to be waited for, and the system clears up sooner than Node. What failed is told of right after.
  process.stdout.write('', (error) => error ?? process.exit(process.exitCode ?? code));
});
`;
}
