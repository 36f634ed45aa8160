import { type Command, Option } from 'commander';
import type { WantedException } from '../../api/contract/exceptions.ts';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { defined } from '../../platform/defined.ts';
import { EXCEPTION_KINDS, EXCEPTION_RULES, JUSTIFICATIONS } from '../../policy/exceptions.ts';
import { CliError } from '../exit.ts';
import type { Narrowing } from './calls.ts';

type SubjectOptions = Pick<
  WantedException,
  | 'kind'
  | 'rule'
  | 'justification'
  | 'fixDays'
  | 'package'
  | 'packageType'
  | 'version'
  | 'versions'
  | 'repository'
  | 'digest'
  | 'platform'
>;
export type NarrowingOptions = Pick<SubjectOptions, keyof Narrowing>;

/** What an exception is about, beside the vulnerability. */
export function withSubject(command: Command): Command {
  return withNarrowing(command)
    .option('--version <version>', 'only in this version of the package')
    .addOption(
      new Option('--rule <rule>', 'from this rule instead of a vulnerability; for one digest').choices(EXCEPTION_RULES),
    )
    .addOption(new Option('--kind <kind>', 'what it says; accepted-risk unless told').choices(EXCEPTION_KINDS))
    .addOption(
      new Option('--justification <why>', 'with --kind not-affected: why, in the words of VEX').choices(JUSTIFICATIONS),
    )
    .option('--fix-days <days>', 'with --kind until-fixed: it ends this many days after a fix is known', wholeNumber);
}

/** What it is limited to. */
export function withNarrowing(command: Command): Command {
  return command
    .option('--package <name>', 'only in this package or source package')
    .addOption(new Option('--package-type <type>', 'only in a package of this type').choices(PACKAGE_TYPES))
    .option(
      '--versions <range>',
      'only in these versions, like ">= 1.0, < 1.2.3", ordered as the package type orders them',
    )
    .option('--repository <glob>', 'only in these repositories below the project, like team/**')
    .option('--digest <digest>', 'only in this image')
    .option('--platform <platform>', 'only for this platform, like linux/arm64');
}

/** The options that say what it is about. */
export function subjectIn(options: SubjectOptions): SubjectOptions {
  const { kind, rule, justification, fixDays, version } = options;
  return defined({ kind, rule, justification, fixDays, version, ...narrowingIn(options) });
}

export function narrowingIn(options: NarrowingOptions): Narrowing {
  const { package: name, packageType, versions, repository, digest, platform } = options;
  return defined({ package: name, packageType, versions, repository, digest, platform });
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new CliError('usage', `${text} is no number of days`);
  return Number(text);
}
