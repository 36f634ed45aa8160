import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, OPERATIONS, refused, same } from './client.ts';

export const oras: Client = {
  name: 'oras',
  peer: 'oras',
  can: OPERATIONS,
  async open({ host, config, layout, name, digest, broken, fresh, folder }) {
    const work = await folder();
    const call = (...args: string[]) =>
      run(requirePeer('oras'), args, { environment: { DOCKER_CONFIG: config }, folder: work });
    const image = `${host}/clients/oras:1`;
    const copied = `${host}/clients/oras-copy:1`;
    const fromLayout = (from: string) => ['cp', '--to-plain-http', '--from-oci-layout', `${from}:${name}`];
    return {
      operations: {
        async push() {
          await writeFile(join(work, 'note.txt'), 'reviewed\n');
          done(await call(...fromLayout(layout), image));
          done(await call('attach', '--plain-http', '--artifact-type=text/vnd.review', image, 'note.txt:text/plain'));
        },
        async pull() {
          const { stdout } = done(await call('discover', '--plain-http', '--format=json', image));
          const { referrers } = JSON.parse(stdout) as {
            referrers: readonly { digest: string; artifactType: string }[];
          };
          same(referrers.map((one) => one.artifactType).join(), 'text/vnd.review', 'referrers');
          const back = await folder();
          done(await call('pull', '--plain-http', '--output', back, `${host}/clients/oras@${referrers[0]?.digest}`));
          same(await readFile(join(back, 'note.txt'), 'utf8'), 'reviewed\n', 'the artifact');
        },
        async list() {
          same(done(await call('repo', 'tags', '--plain-http', `${host}/clients/oras`)).stdout, '1\n', 'tags');
          const named = done(await call('repo', 'ls', '--plain-http', `${host}/clients`)).stdout;
          same(named.split('\n').includes('oras'), true, 'the catalogue names it');
        },
        async copy() {
          done(await call('cp', '--recursive', '--from-plain-http', '--to-plain-http', image, copied));
          const tree = done(await call('discover', '--plain-http', copied)).stdout;
          same(tree.includes('text/vnd.review'), true, 'the copy has its referrer');
        },
        async again() {
          const target = `${broken.host}/clients/oras-again:1`;
          const { layout: own } = await fresh();
          refused(await call(...fromLayout(own), target));
          broken.mend();
          done(await call(...fromLayout(own), target));
        },
        async delete() {
          done(await call('manifest', 'delete', '--force', '--plain-http', `${host}/clients/oras-copy@${digest}`));
          refused(await call('manifest', 'fetch', '--plain-http', copied));
        },
      },
    };
  },
};
