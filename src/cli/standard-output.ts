import { fstatSync, writeFileSync } from 'node:fs';
import { EXIT } from './exit.ts';

/**
 * Sees to it that results get out whole or the program says that they did not: `note` is told once, and the exit code becomes that of a
 * failure. A pipe that its reader closed early, `breakwater … | head`, ends the program and is no failure. Gives whether all went well so far.
 */
export function watchStandardOutput(note: (text: string) => void): () => boolean {
  const { stdout } = process;
  const kind = fstatSync(stdout.fd);
  // Node writes once into a file and takes that for all, also where the disk had room for a part only.
  if (kind.isFile() || (kind.isCharacterDevice() && !stdout.isTTY))
    stdout._write = (chunk: Uint8Array, _, done) => {
      try {
        writeFileSync(stdout.fd, chunk);
      } catch (error) {
        return done(error as Error);
      }
      done();
    };
  let well = true;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    if (well) note(`breakwater: standard output cannot be written: ${error.message}`);
    well = false;
    // It may come when the command is done.
    process.exitCode = EXIT.failure;
  });
  return () => well;
}
