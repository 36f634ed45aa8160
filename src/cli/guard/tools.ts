import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { exportCommand } from './export.ts';
import { lintCommand } from './lint.ts';

/** Adds the tools about constraints to `breakwater guard`. */
export function addGuardTools(guard: Command, cli: Cli): void {
  for (const command of [lintCommand(cli), exportCommand(cli)]) guard.addCommand(command);
}
