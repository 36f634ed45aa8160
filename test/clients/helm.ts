import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, same } from './client.ts';

export const helm: Client = {
  name: 'helm',
  peer: 'helm',
  can: ['push', 'pull'],
  async open({ host, config, folder }) {
    const work = await folder();
    const call = (...args: string[]) =>
      run(requirePeer('helm'), args, {
        folder: work,
        environment: { HOME: work, HELM_REGISTRY_CONFIG: join(config, 'config.json') },
      });
    return {
      operations: {
        async push() {
          await mkdir(join(work, 'harbour/templates'), { recursive: true });
          await writeFile(join(work, 'harbour/Chart.yaml'), 'apiVersion: v2\nname: harbour\nversion: 1.2.3+build.4\n');
          await writeFile(
            join(work, 'harbour/templates/note.yaml'),
            'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: note }\n',
          );
          done(await call('package', 'harbour'));
          done(await call('push', '--plain-http', 'harbour-1.2.3+build.4.tgz', `oci://${host}/clients/charts`));
        },
        async pull() {
          const back = await folder();
          const chart = `oci://${host}/clients/charts/harbour`;
          done(await call('pull', '--plain-http', '--untar', '--untardir', back, chart, '--version=1.2.3+build.4'));
          const shown = done(await call('show', 'chart', '--plain-http', chart)).stdout;
          same(shown.includes('version: 1.2.3+build.4'), true, 'the newest version is found');
          same(
            done(await call('template', '--plain-http', 'x', chart)).stdout.includes('kind: ConfigMap'),
            true,
            'templates',
          );
        },
      },
    };
  },
};
