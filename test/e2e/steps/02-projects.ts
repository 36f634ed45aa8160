import assert from 'node:assert/strict';
import { request } from 'undici';
import { DEVELOPER, type Step } from '../journey.ts';

interface Project {
  readonly name: string;
  readonly policy: { readonly block: Thresholds; readonly warn: Thresholds };
}
interface Thresholds {
  readonly fixable: string;
  readonly unfixable: string;
}

/** Projects by command line and by API. */
export const step: Step = {
  title: 'Projects: strict front office, loose back office',
  async run(journey) {
    const { terminal, server } = journey;
    terminal.say('The administrator makes two projects and an account for the developer.');
    const made = await journey.breakwater(['project', 'create', 'front', '--block', 'high']);
    assert.match(made.stdout, /Project front is there/);
    await journey.breakwater(['project', 'create', 'back', '--warn', 'critical']);
    await journey.breakwater(['user', 'create', DEVELOPER.user, '--password-stdin'], { input: DEVELOPER.password });
    for (const project of ['front', 'back'])
      await journey.breakwater(['project', 'member', 'add', project, DEVELOPER.user]);

    terminal.say('The same by API.');
    const authorization = `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`;
    const api = async (method: 'GET' | 'POST', path: string, body?: object) => {
      const reply = await request(`${server.url}/api/v1${path}`, {
        method,
        headers: { authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : null,
      });
      const value: unknown = await reply.body.json();
      terminal.print(
        `${method} /api/v1${path} ${body ? JSON.stringify(body) : ''}\n${reply.statusCode} ${JSON.stringify(value)}`,
      );
      return { status: reply.statusCode, value };
    };
    const lab = await api('POST', '/projects', { name: 'lab', block: 'critical' });
    assert.equal(lab.status, 201);
    const again = await api('POST', '/projects', { name: 'lab' });
    assert.equal(again.status, 409);
    const listed = (await api('GET', '/projects')).value as { items: readonly Project[] };
    const byName = new Map(listed.items.map((one) => [one.name, one.policy]));
    assert.deepEqual(byName.get('front')?.block, { fixable: 'high', unfixable: 'high' });
    assert.deepEqual(byName.get('back')?.warn, { fixable: 'critical', unfixable: 'critical' });
    assert.deepEqual(byName.get('lab')?.block, { fixable: 'critical', unfixable: 'critical' });
    assert.deepEqual([...byName.keys()].sort(), ['back', 'front', 'lab']);

    const { stdout } = await journey.breakwater(['project', 'list'], { account: DEVELOPER });
    assert.match(stdout, /^front +no +high/m);
  },
};
