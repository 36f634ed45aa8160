import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { exportCommand } from './export.ts';
import { guardImportCommand } from './import.ts';
import { lintCommand } from './lint.ts';
import { preflightCommand } from './preflight.ts';

/** Adds the tools about constraints to `breakwater guard`. */
export function addGuardTools(guard: Command, cli: Cli): void {
  const commands = [lintCommand, exportCommand, preflightCommand, guardImportCommand];
  for (const command of commands) guard.addCommand(command(cli));
}
