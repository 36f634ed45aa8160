import { GatorError } from '../../gator/errors.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';

/** Runs the work of a gator command; what is wrong with its input is told as gator tells it and ends with its code, 1. */
export async function endingAsGator(cli: Cli, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GatorError)) throw error;
    cli.note(error.message);
    cli.exitWith(EXIT.negative);
  }
}

export const NO_TRACE = 'No Rego is evaluated here, so there is no trace.';
