import type { Log, ReportingDescriptor, Run } from 'sarif';
import { VERSION } from '../platform/version.ts';

/** SARIF 2.1.0 of one run of this program: the rules it knows and everything else about the run. */
export function sarifLogOf(rules: ReportingDescriptor[], run: Omit<Run, 'tool'>): Log {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'Breakwater', semanticVersion: VERSION, rules } }, ...run }],
  };
}
