import { Command, InvalidArgumentError, Option } from 'commander';
import { ManifestError, renderGuardManifests } from '../../admission/manifests.ts';
import { guardManifests } from '../../api/contract/operations.ts';
import { listed } from '../../platform/listed.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { namesServer } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { guardCertificatesCommand } from '../guard/certificates.ts';
import { guardServeCommand } from '../guard/serve.ts';
import { addGuardTools } from '../guard/tools.ts';

interface ManifestOptions {
  readonly enforcement: 'warn' | 'deny' | 'dryrun';
  readonly url?: string;
  readonly service?: string;
  readonly document?: boolean;
  readonly name?: string;
  readonly style?: 'welkin-docs' | 'gatekeeper' | 'welkin-current';
  readonly pinning?: 'pods' | 'templates';
  readonly failurePolicy?: 'Ignore' | 'Fail';
  readonly replicas?: number;
  readonly repos?: string;
}

const CONSTRAINT_NAME = 'require-harbor-repo';

/** Manifests for guards that run by themselves, which write their authority into the webhooks when they start. */
function renderHere({ service, url, document, repos, ...options }: ManifestOptions): string {
  if (service === undefined && url === undefined)
    throw new CliError('usage', '--repos needs --service or --url: say where the API server reaches the guards');
  const list = listed(repos ?? '');
  try {
    return renderGuardManifests({
      constraintName: options.name ?? CONSTRAINT_NAME,
      repos: list,
      enforcementAction: options.enforcement,
      ...(options.style ? { style: options.style } : {}),
      ...(options.pinning ? { pinning: options.pinning } : {}),
      ...(options.failurePolicy ? { failurePolicy: options.failurePolicy } : {}),
      ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
      webhook: service === undefined ? { url: url ?? '' } : { service },
      constraint: list.length === 0 ? 'none' : document ? 'document' : 'by-guard',
    }).trimEnd();
  } catch (error) {
    if (error instanceof ManifestError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
}

function count(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('not a number of guards, like 2');
}

/** `breakwater guard`: manifests here, everything else in files of its own. */
export function guardCommand(cli: Cli): Command {
  const guard = new Command('guard').description('what a cluster needs to warn about, or deny, what is not trusted');
  guard
    .command('manifests')
    .description('print constraint kind, webhook and rights, ready for kubectl apply')
    .addOption(
      new Option('--enforcement <action>', 'what happens to what is not trusted')
        .choices(['warn', 'deny', 'dryrun'])
        .default('warn'),
    )
    .addOption(
      new Option('--url <url>', 'where the API server reaches the webhook, like https://10.0.0.5:8443').conflicts(
        'service',
      ),
    )
    .option('--service <name>', 'the same as a service in the cluster')
    .addOption(
      new Option(
        '--pinning <what>',
        'also the webhook that puts digests behind tags (needs BREAKWATER_GUARD_PINNING at the guard)',
      ).choices(['pods', 'templates']),
    )
    .option('--document', 'the constraint as a document of its own, for a guard without access to the API server')
    .addOption(
      new Option('--failure-policy <policy>', 'what happens to workloads while no guard answers').choices([
        'Ignore',
        'Fail',
      ]),
    )
    .addOption(
      new Option('--replicas <n>', 'guards behind the address; Fail is refused with fewer than 2').argParser(count),
    )
    .option('--repos <list>', 'what is trusted, comma separated; then no server is asked (with --service or --url)')
    .option('--name <name>', 'name of the constraint (default: require-harbor-repo)')
    .addOption(
      new Option('--style <style>', 'wording of its messages').choices(['welkin-docs', 'gatekeeper', 'welkin-current']),
    )
    .addHelpText(
      'after',
      `
Examples:
  breakwater guard manifests | kubectl apply -f -
  breakwater guard manifests --enforcement deny --url https://10.0.0.5:8443 | kubectl apply -f -

For guards that run by themselves (breakwater guard serve), which publish their own authority; no server is needed:
  breakwater guard manifests --service breakwater-webhook --repos harbor.example.com | kubectl apply -f -
  breakwater guard manifests --service breakwater-webhook --failure-policy Fail --replicas 2 | kubectl apply -f -`,
    )
    .action(async ({ document, repos, ...options }: ManifestOptions) => {
      const { service } = options;
      const byItself = service !== undefined && !(await namesServer(await cli.config()));
      if (repos !== undefined || byItself) {
        cli.print(
          renderHere({ ...options, ...(document ? { document } : {}), ...(repos === undefined ? {} : { repos }) }),
        );
        return;
      }
      const query = { ...options, ...(document ? { document: 'true' as const } : {}) };
      const text = await withServer(cli, (api) => api.call(guardManifests, { query }));
      cli.print(text.trimEnd());
    });
  guard.addCommand(guardServeCommand(cli));
  guard.addCommand(guardCertificatesCommand(cli));
  addGuardTools(guard, cli);
  return guard;
}
