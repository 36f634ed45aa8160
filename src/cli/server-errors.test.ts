import { describe, expect, it } from 'vitest';
import { HttpError } from '../platform/http-client.ts';
import { reportError } from './report-error.ts';
import { failureOf, unreachable } from './server-errors.ts';

const login = { url: 'http://127.0.0.1:8080', user: 'carol', password: 'secret' };
const problem = (detail: string) => JSON.stringify({ type: 'about:blank', title: 'x', status: 400, detail, code: 'x' });

describe('what a server answers', () => {
  it('is printed as it says it, on one line', () => {
    expect(failureOf(409, problem('there is a project\n"front" already'), login, 'Create a project').message).toBe(
      'there is a project "front" already',
    );
  });
  it('says who was not allowed', () => {
    expect(failureOf(403, problem('only administrators'), login, 'x').message).toBe('only administrators (as carol)');
    const { password: _, ...anonymous } = login;
    expect(failureOf(403, problem('only administrators'), anonymous, 'x').message).toContain('(as nobody)');
  });
  it('tells a wrong password from none', () => {
    expect(failureOf(401, '', login, 'x').message).toMatch(/does not accept user "carol".*breakwater login/);
    const { password: _, ...anonymous } = login;
    expect(failureOf(401, '', anonymous, 'x').message).toMatch(/wants to know who you are.*breakwater login/);
  });
  it('points to the log of a server that failed', () => {
    expect(failureOf(500, problem('it broke'), login, 'x').message).toBe('the server failed: it broke (see its log)');
  });
  it.each(['<html>nginx</html>', '', '[]', '{"detail": 5}', 'null'])('doubts a server that answers %j', (body) => {
    expect(failureOf(404, body, login, 'Create a project').message).toMatch(/answered 404 .*is it a Breakwater/);
  });
  it('never shows the password', () => {
    for (const status of [400, 401, 403, 404, 500])
      expect(failureOf(status, problem('no'), login, 'x').message).not.toContain('secret');
  });
});

describe('a server that cannot be asked', () => {
  it('says what to start or to set', () => {
    const { message } = unreachable(new HttpError('unreachable', 'http://x/ cannot be reached: ECONNREFUSED'), login);
    expect(message).toMatch(
      /no server answers at http:\/\/127\.0\.0\.1:8080 \(ECONNREFUSED\).*breakwater serve.*BREAKWATER_URL/,
    );
  });
  it('tells silence from absence', () => {
    expect(unreachable(new HttpError('timeout', 'late'), login).message).toContain('does not answer in time');
  });
});

describe('what ends a command', () => {
  it('is one line when it was foreseen', () => {
    expect(report(failureOf(409, problem('no'), login, 'x'))).toEqual({ code: 3, notes: 'breakwater: no' });
  });
  it('names the file that the system cannot give', () => {
    const error = Object.assign(new Error('ENOENT: x'), { code: 'ENOENT', syscall: 'stat', path: 'feeds' });
    expect(report(error)).toEqual({ code: 3, notes: 'breakwater: feeds: there is no such file or folder' });
  });
  it('comes with its place in the program when it should not happen', () => {
    expect(report(new TypeError('x is undefined')).notes).toMatch(/should not happen[^]*server-errors\.test/);
  });
});

function report(error: unknown): { code: number; notes: string } {
  const notes: string[] = [];
  const code = reportError(error, { note: (text) => void notes.push(text) });
  return { code, notes: notes.join('\n') };
}
