import { join } from 'node:path';
import { startContainerd } from '../support/containerd.ts';
import { run } from '../support/program.ts';
import { type Client, done, refused, same } from './client.ts';

export const containerd: Client = {
  name: 'containerd',
  peer: 'containerd',
  can: ['push', 'pull', 'again'],
  async open({ host, user, password, layout, name, digest, broken, fresh, folder }) {
    const daemon = await startContainerd();
    const { ctr } = daemon;
    const login = ['--plain-http', '--user', `${user}:${password}`];
    const image = `${host}/clients/containerd:1`;
    async function load(from: string, as: string): Promise<void> {
      const archive = join(await folder(), 'layout.tar');
      done(await run('tar', ['-cf', archive, '-C', from, '.']));
      done(await ctr('images', 'import', '--base-name', as, archive));
    }
    return {
      operations: {
        async push() {
          await load(layout, `${host}/clients/containerd`);
          done(await ctr('images', 'tag', `${host}/clients/containerd:${name}`, image));
          done(await ctr('images', 'push', ...login, image));
        },
        async pull() {
          done(await ctr('images', 'rm', '--sync', image, `${host}/clients/containerd:${name}`));
          done(await ctr('images', 'pull', ...login, '--snapshotter=native', image));
          same(done(await ctr('images', 'ls')).stdout.includes(digest), true, 'the digest is listed');
        },
        async again() {
          const target = `${broken.host}/clients/containerd-again:1`;
          const { layout: own } = await fresh();
          await load(own, `${broken.host}/clients/containerd-own`);
          done(await ctr('images', 'tag', `${broken.host}/clients/containerd-own:${name}`, target));
          refused(await ctr('images', 'push', ...login, target));
          broken.mend();
          done(await ctr('images', 'push', ...login, target));
        },
      },
      close: () => daemon.stop(),
    };
  },
};
