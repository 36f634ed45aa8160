import { Command } from 'commander';
import type { Config } from '../../config.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

interface ServeOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly replica?: string;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly tlsCaFile?: string;
}

/** `breakwater guard serve`: one replica of the guard, until SIGTERM or SIGINT. */
export function guardServeCommand(cli: Cli): Command {
  return new Command('serve')
    .description('run the guard alone, near an API server: webhook, audit, metrics')
    .option('--kubeconfig <file>', 'the cluster to guard (default: the one this pod runs in)')
    .option('--namespace <name>', 'where the replicas keep what they share (default: breakwater-system)')
    .option('--replica <name>', 'name of this replica (default: the host name, which is the name of the pod)')
    .option('--tls-cert-file <file>', 'serve a certificate that somebody else renews, and take up each new one')
    .option('--tls-key-file <file>', 'its key')
    .option('--tls-ca-file <file>', 'its authority, for BREAKWATER_GUARD_PUBLISH_CA=true')
    .addHelpText(
      'after',
      `
Settings come from the environment or the file named by BREAKWATER_CONFIG; options win. For example:
  BREAKWATER_WEBHOOK_LISTEN=0.0.0.0:8443 BREAKWATER_METRICS_LISTEN=0.0.0.0:9090 breakwater guard serve
  breakwater guard serve --kubeconfig ~/.kube/config --replica guard-0`,
    )
    .action(async (options: ServeOptions) => {
      const { programs } = cli;
      if (!programs.serveGuard) throw new CliError('failed', 'this program was started without its guard');
      const config = withOptions(await cli.config(), options);
      if ((config.guardTlsCert === undefined) !== (config.guardTlsKey === undefined)) {
        throw new CliError('usage', '--tls-cert-file and --tls-key-file go together');
      }
      await programs.serveGuard(config);
    });
}

function withOptions(config: Config, options: ServeOptions): Config {
  const { kubeconfig, namespace, replica, tlsCertFile, tlsKeyFile, tlsCaFile } = options;
  return {
    ...config,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(namespace === undefined ? {} : { guardNamespace: namespace }),
    ...(replica === undefined ? {} : { guardReplica: replica }),
    ...(tlsCertFile === undefined ? {} : { guardTlsCert: tlsCertFile }),
    ...(tlsKeyFile === undefined ? {} : { guardTlsKey: tlsKeyFile }),
    ...(tlsCaFile === undefined ? {} : { guardTlsCa: tlsCaFile }),
  };
}
