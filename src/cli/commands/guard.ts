import { Command, Option } from 'commander';
import { guardManifests } from '../../api/contract/operations.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
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
    .option('--document', 'the constraint as a document of its own, for a guard without access to the API server')
    .option('--name <name>', 'name of the constraint (default: require-harbor-repo)')
    .addOption(
      new Option('--style <style>', 'wording of its messages').choices(['welkin-docs', 'gatekeeper', 'welkin-current']),
    )
    .addHelpText(
      'after',
      `
Examples:
  breakwater guard manifests | kubectl apply -f -
  breakwater guard manifests --enforcement deny --url https://10.0.0.5:8443 | kubectl apply -f -`,
    )
    .action(async ({ document, ...options }: ManifestOptions) => {
      const query = { ...options, ...(document ? { document: 'true' as const } : {}) };
      const text = await withServer(cli, (api) => api.call(guardManifests, { query }));
      cli.print(text.trimEnd());
    });
  guard.addCommand(guardServeCommand(cli));
  guard.addCommand(guardCertificatesCommand(cli));
  addGuardTools(guard, cli);
  return guard;
}
