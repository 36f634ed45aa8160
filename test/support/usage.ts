import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Ends a program of ours with 2: it was started in a way it cannot be. One line, as its user needs no trace of calls. */
export function wrongUse(program: string, message: string): never {
  process.stderr.write(`${program}: ${message}\n`);
  process.exit(2);
}

/** The arguments of a program of ours; anything it does not know is wrong use. */
export function argumentsOf<Config extends ParseArgsConfig>(
  program: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (error instanceof TypeError) return wrongUse(program, (error.message.split('. ', 1)[0] ?? '').trim());
    throw error;
  }
}
