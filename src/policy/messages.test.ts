import { describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { judge } from './judge.ts';
import { aFinding, anException, anInput } from './judging.testing.ts';
import { headerText, refusal, unscannedRefusal, warningText } from './messages.ts';
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
        'Update the packages and push again, or see everything: `breakwater verdict front/alpine:3.10`; ask for an exception: `breakwater exception request front/alpine:3.10 CVE-2024-0001 --until DATE --reason WHY`.',
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
        .match(/Worst:.*Update/)?.[0]
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
      'Reason: the image could not be read completely: layer 2 unpacks to more than 20 GiB. Update',
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
    [{ findings: several, exceptions: [anException()] }, 'allowed: no known vulnerabilities, 4 excepted'],
    [{ findings: several.slice(0, 2) }, 'blocked: CVE-2024-0001 in a 1.0-r0 (fixed in 1.0-r1): high (nvd); and 1 more'],
  ])('%#', (over, expected) => {
    expect(explain(judge(anInput({ policy, ...over })))).toBe(expected);
  });

  it('fits a header: printable ASCII without quotes, bounded', () => {
    expect(headerText('a "b" \\ ü\n')).toBe("a 'b' ? ?");
    const verdict = judge(anInput({ policy, findings: [aFinding({ name: '"\\é'.repeat(500) })] }));
    expect(warningText(verdict, image)).toMatch(
      /^front\/alpine:3\.10 is blocked: [\x20-\x21\x23-\x5b\x5d-\x7e]{1,400}$/,
    );
    expect(warningText(verdict, image).length).toBe(400);
  });
});
