import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, refused } from './client.ts';
import { crane } from './crane.ts';

/** Signatures and attestations as referrers: pushed by signing, pulled by verifying. */
export const cosign: Client = {
  name: 'cosign',
  peer: 'cosign',
  can: ['push', 'pull'],
  async open(world) {
    const { host, config, digest, folder } = world;
    const work = await folder();
    const environment = { DOCKER_CONFIG: config, HOME: work, COSIGN_PASSWORD: 'secret' };
    const call = (...args: string[]) => run(requirePeer('cosign'), args, { folder: work, environment });
    const image = `${host}/clients/crane@${digest}`;
    const registry = ['--allow-insecure-registry', '--allow-http-registry'];
    const offline = ['--tlog-upload=false', '--use-signing-config=false', '--yes', ...registry];
    const trust = ['--insecure-ignore-tlog=true', ...registry];
    return {
      operations: {
        async push() {
          // Signs what is there; another client may have put it there already.
          await (await crane.open(world)).operations.push?.();
          done(await call('generate-key-pair'));
          await writeFile(join(work, 'claim.json'), '{"reviewed":true}');
          done(await call('sign', '--key=cosign.key', ...offline, image));
          done(await call('attest', '--key=cosign.key', '--predicate=claim.json', '--type=custom', ...offline, image));
        },
        async pull() {
          done(await call('verify', '--key=cosign.pub', ...trust, image));
          done(await call('verify-attestation', '--key=cosign.pub', '--type=custom', ...trust, image));
          done(await call('generate-key-pair', '--output-key-prefix=other'));
          refused(await call('verify', '--key=other.pub', ...trust, image));
        },
      },
    };
  },
};
