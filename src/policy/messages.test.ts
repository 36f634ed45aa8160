import { describe, expect, it } from 'vitest';
import { explain, why } from './explain.ts';
import { explanationOf } from './explanation.ts';
import { judge } from './judge.ts';
import { aFinding, anException, anInput, DAY, graceOf, NOW } from './judging.testing.ts';
import { explanationLines, headerText, refusal, unscannedRefusal, warningText } from './messages.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const policy: Policy = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'critical' } };
const image = 'front/alpine:3.10';
const several = ['a', 'b', 'c', 'd'].map((name) => aFinding({ name }));
const low = aFinding({ name: 'zlib', severities: [{ source: 'nvd', severity: 'low' }] });

describe('refusal', () => {
  it("begins with Harbor's sentence, counts every finding, names the worst, and says what to do", () => {
    expect(refusal(judge(anInput({ policy, findings: [...several, low] })), { image, policy })).toBe(
      `current image with 5 vulnerabilities cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running.' ` +
        `To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist. ` +
        `Worst: CVE-2024-0001 in a 1.0-r0 (fixed in 1.0-r1), high (nvd); CVE-2024-0001 in b 1.0-r0 (fixed in 1.0-r1), high (nvd); ` +
        `CVE-2024-0001 in c 1.0-r0 (fixed in 1.0-r1), high (nvd); and 1 more. ` +
        'The smallest change that unblocks it: `breakwater why front/alpine:3.10`; all there is: `breakwater verdict front/alpine:3.10`; ' +
        'ask for an exception: `breakwater exception request front/alpine:3.10 CVE-2024-0001 --until DATE --reason WHY`.',
    );
  });

  it('is in the singular for one, and counts no excepted findings', () => {
    const exceptions = [anException({ package: { name: 'a' } })];
    const verdict = judge(
      anInput({ policy, findings: [aFinding({ name: 'a' }), aFinding({ name: 'b' })], exceptions }),
    );
    expect(refusal(verdict, { image, policy })).toMatch(/^current image with 1 vulnerability cannot be pulled/);
  });

  it('names a vulnerability that breaks two rules once', () => {
    const both: Policy = { ...policy, kev: { ...policy.kev, action: 'block' } };
    const verdict = judge(anInput({ policy: both, findings: [aFinding({ kev: '2024-01-01' })] }));
    expect(
      refusal(verdict, { image, policy: both })
        .match(/Worst:.*The smallest/)?.[0]
        .match(/CVE-2024-0001/g),
    ).toHaveLength(1);
  });

  it('gives the reason when no finding blocks', () => {
    const inventory = {
      ...anInput().inventory,
      complete: false,
      gaps: [{ kind: 'limit' as const, message: 'layer 2 unpacks to more than 20 GiB' }],
    };
    expect(refusal(judge(anInput({ policy, inventory })), { image, policy })).toContain(
      'Reason: the image could not be read completely: layer 2 unpacks to more than 20 GiB. The smallest',
    );
  });

  it('keeps foreign bytes from breaking lines', () => {
    const verdict = judge(anInput({ policy, findings: [aFinding({ name: 'a\r\nX-Evil: 1\u2028\u202e' })] }));
    expect(refusal(verdict, { image, policy })).not.toMatch(/[\r\n\u2028\u202e]/);
    expect(explain(verdict)).not.toMatch(/[\r\n\u2028\u202e]/);
  });
});

describe('unscanned images', () => {
  it("get Harbor's other sentences", () => {
    expect(unscannedRefusal('never', { image, policy })).toMatch(
      /^current image without vulnerability scanning cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running\.' To continue with pull, please contact your project administrator for help\. /,
    );
    expect(unscannedRefusal('pending', { image, policy })).toMatch(
      /^current image with "Running" status of vulnerability scanning cannot be pulled due to configured policy in /,
    );
    expect(unscannedRefusal('failed', { image, policy }, 'the disk is gone')).toMatch(
      /^current image with "Error" status .* could not be judged: the disk is gone\. /,
    );
  });
});

describe('one sentence', () => {
  it.each([
    [{ findings: [] }, 'allowed: no known vulnerabilities'],
    [{ findings: [low] }, 'allowed: 1 known vulnerability below what this project acts on'],
    [
      { findings: several, exceptions: [anException()] },
      'allowed: no known vulnerabilities, 4 set aside; the first exception ends 2027-01-16T08:00:00Z',
    ],
    [{ findings: several.slice(0, 2) }, 'blocked: CVE-2024-0001 in a 1.0-r0 (fixed in 1.0-r1): high (nvd); and 1 more'],
  ])('%#', (over, expected) => {
    expect(explain(judge(anInput({ policy, ...over })))).toBe(expected);
  });

  it('fits a header: printable ASCII without quotes, bounded', () => {
    expect(headerText('a "b" \\ ü\n')).toBe("a 'b' ? ?");
    const verdict = judge(anInput({ policy, findings: [aFinding({ name: '"\\é'.repeat(500) })] }));
    expect(warningText(verdict, image)).toMatch(
      /^front\/alpine:3\.10 is blocked: [\x20-\x21\x23-\x5b\x5d-\x7e]{1,256}$/,
    );
    expect(warningText(verdict, image).length).toBe(256);
  });
});

describe('every surface', () => {
  const contact = { text: 'platform team, #help', link: 'https://wiki.example.com/gate' };
  const graced: Policy = { ...policy, graceDays: graceOf({ high: 7 }), contact };
  const blocked = judge(anInput({ policy: { ...policy, contact }, findings: several }));
  const warned = judge(anInput({ policy: graced, findings: several }));
  const day = new Date(NOW + 7 * DAY).toISOString().slice(0, 10);

  it.each([
    ['blocked', blocked, ['blocked', 'CVE-2024-0001', 'in a 1.0-r0', 'fixed in 1.0-r1', contact.text, contact.link]],
    ['warned', warned, ['allowed with a warning', 'CVE-2024-0001', '1.0-r1', day, contact.text, contact.link]],
  ])('carries the same facts: %s', (_, verdict, facts) => {
    const text = explanationLines(explanationOf(verdict), image).map((line) => line.join(': '));
    const surfaces = {
      warning: warningText(verdict, image),
      'webhook and guard': `${facts[0]} ${why(verdict, 500)}`,
      'command line and API': explain(verdict),
      'lines and mail': text.join('\n'),
      ...(verdict.kind === 'block' ? { pull: `blocked ${refusal(verdict, { image, policy })}` } : {}),
    };
    for (const [surface, said] of Object.entries(surfaces))
      for (const fact of facts) expect(said, surface).toContain(fact);
    expect(surfaces.warning.length).toBeLessThanOrEqual(256);
  });

  it('says no more than it has room for: the finding and its fix stay longest', () => {
    const said = [1000, 256, 150, 120, 90, 60].map((longest) => why(warned, longest));
    for (const [at, longest] of [1000, 256, 150, 120, 90, 60].entries())
      expect(said[at]?.length).toBeLessThanOrEqual(longest);
    for (const text of said.slice(0, 5)) expect(text).toContain('CVE-2024-0001 in a 1.0-r0 (fixed in 1.0-r1)');
    expect(said[2]).toContain(contact.text);
    expect(said[3]).not.toContain(contact.link);
  });

  it('says when the first of several dates is, wherever it stands in the list', () => {
    const earlier = { vulnerability: 'CVE-2024-0001', package: 'apk/b', firstSeen: NOW - 2 * DAY };
    const verdict = judge(anInput({ policy: graced, findings: several, clocks: [earlier] }));
    expect(explanationOf(verdict)).toMatchObject({ deadline: NOW + 5 * DAY });
    expect(why(verdict)).toContain(`; the first blocks from ${new Date(NOW + 5 * DAY).toISOString().slice(0, 10)}`);
  });

  it('names images with long names by their end', () => {
    const long = `front/${'x'.repeat(200)}/app:1.0`;
    expect(warningText(blocked, long)).toMatch(
      /^\.{3}x+\/app:1\.0 is blocked: CVE-2024-0001 in a 1\.0-r0 \(fixed in 1\.0-r1\)/,
    );
  });

  it('asks nobody where nothing is in the way', () => {
    expect(judge(anInput({ policy: { ...policy, contact }, findings: [low] })).contact).toBeUndefined();
  });
});

describe('whom to ask, where the policy says "ask" itself', () => {
  const contact = { text: 'Ask in #help', link: null };
  const blocked = judge(anInput({ policy: { ...policy, contact }, findings: several }));

  it.each([
    ['refusal', refusal(blocked, { image: 'front/app:1', policy }), 'Ask in #help.'],
    ['warning', warningText(blocked, 'front/app:1'), '; ask in #help'],
    ['sentence', explain(blocked), '; ask in #help'],
    ['lines', explanationLines(explanationOf(blocked), 'x').join('\n'), 'ask,in #help'],
  ])('%s says it once', (_name, said, words) => {
    expect(said).toContain(words);
    expect(said).not.toMatch(/ask\W+ask/i);
  });
});
