import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashEntry } from '../ledger/chain.ts';
import { type EvidenceDocument, evidenceSchema, evidenceToJson, headerOf, sealDocument } from './document.ts';
import { renderEvidenceHtml } from './html.ts';
import { type Line, SECTION_NAMES } from './lines.ts';
import { sampleDocument, wholeLedgerDocument } from './sample.testing.ts';
import { altered, type Json, otherThan, pathsOf, placeOf, remove, replace } from './tamper.testing.ts';
import { verifyEvidence } from './verify.ts';

const document = sampleDocument();
const json = evidenceToJson(document);
const sample = JSON.parse(json) as Json;
const verify = (value: unknown) => verifyEvidence(Buffer.from(JSON.stringify(value)));
const messages = (value: unknown) => verify(value).findings.map(({ message }) => message);

/** What is found in a document that was changed and then sealed again as if it had been made so. */
function resealed(from: EvidenceDocument, change: (copy: EvidenceDocument) => void): string[] {
  const copy = structuredClone(from);
  change(copy);
  return messages(sealDocument(headerOf(copy), copy.sections));
}

describe('verifying evidence', () => {
  it('finds nothing in a document as it was made', () => {
    expect(evidenceSchema.parse(document)).toEqual(document);
    expect(verifyEvidence(Buffer.from(json))).toEqual({
      intact: true,
      findings: [],
      count: 0,
      form: 'json',
      document: {
        digest: document.seals.document,
        installation: document.installation.name,
        period: document.period,
        exportedAt: document.exportedAt,
        ledgerLines: 4,
        head: document.chain.head,
      },
    });
    expect(verify(wholeLedgerDocument()).findings).toEqual([]);
  });

  it('does not mind how the JSON is laid out', () => {
    const shuffled = Object.fromEntries(Object.entries(JSON.parse(json) as object).reverse());
    expect(verifyEvidence(Buffer.from(`\n ${JSON.stringify(shuffled, null, 4)}`)).intact).toBe(true);
  });

  it('finds and names single values that were changed, and what was removed', () => {
    // All of them, one after the other: tamper.itest.ts.
    const some = pathsOf(sample).filter((_path, index) => index % 23 === 0);
    expect(some.length).toBeGreaterThan(15);
    for (const path of some)
      for (const change of [replace, remove])
        expect(messages(altered(sample, path, change)).join(' '), path.join('.')).toContain(placeOf(path));
  });

  it.each(SECTION_NAMES)('finds lines of %s that were doubled, added or moved', (name) => {
    const [first] = document.sections[name];
    const last = document.sections[name].length;
    const doubled = altered(sample, ['sections', name, last], (holder) =>
      (holder as unknown as Json[]).push(first as unknown as Json),
    );
    expect(messages(doubled).join('\n')).toMatch(
      name === 'ledger'
        ? /Line 7 of the audit log was added/
        : new RegExp(`Line ${last + 1} of section "${name}".* was added`),
    );
    const moved = altered(sample, ['sections', name, 0], (holder) => (holder as unknown as Json[]).reverse());
    if (last > 1) expect(messages(moved).join('\n')).toMatch(new RegExp(`Section "${name}".* in another order`));
  });

  it('says which of several lines were removed and which changed', () => {
    const copy = structuredClone(document);
    const users = [1, 2, 3, 4, 5, 6].map((n) => ({ ...(copy.sections.users[0] as Line<'users'>), name: `u${n}` }));
    const sealed = sealDocument(headerOf(copy), { ...copy.sections, users });
    const broken = structuredClone(sealed);
    broken.sections.users = [
      users[0],
      users[2],
      { ...(users[3] as Line<'users'>), disabled: true },
      users[5],
    ] as Line<'users'>[];
    expect(messages(broken)).toEqual([
      expect.stringMatching(/^Line 2 .* was removed\.$/),
      expect.stringMatching(/^Line 4 .*, name "u4", was changed\.$/),
      expect.stringMatching(/^Line 5 .* was removed\.$/),
    ]);
  });

  it('knows a document by the digest that was noted elsewhere', () => {
    const bytes = Buffer.from(json);
    expect(verifyEvidence(bytes, { digest: document.seals.document }).intact).toBe(true);
    expect(verifyEvidence(bytes, { digest: 'sha256:00' }).findings[0]?.message).toMatch(
      /not sha256:00: it is another document/,
    );
  });
});

describe('evidence that was changed and sealed again', () => {
  it('passes when nothing was changed', () => expect(resealed(document, () => undefined)).toEqual([]));

  it.each([0, 1, 2, 3])('misses line %# of the audit log when it is removed', (index) => {
    const found = resealed(document, ({ sections }) => sections.ledger.splice(index, 1));
    expect(found).toContain(`Line ${index + 3} of the audit log is missing.`);
  });

  it.each([0, 1, 2, 3, 4])('misses line %# of a whole audit log when it is removed', (index) => {
    const found = resealed(wholeLedgerDocument(), ({ sections }) => sections.ledger.splice(index, 1));
    expect(found).toContain(`Line ${index + 1} of the audit log is missing.`);
  });

  it('finds every member of a line of the audit log that was changed', () => {
    for (const index of [0, 3])
      for (const name of [
        'seq',
        'time',
        'at',
        'actor',
        'action',
        'target',
        'details',
        'previousHash',
        'hash',
      ] as const) {
        const found = resealed(document, ({ sections }) => {
          const line = sections.ledger[index] as Record<string, unknown>;
          line[name] = name === 'details' ? { ...(line[name] as object), more: 1 } : otherThan(line[name] as Json);
        });
        expect(found.join(' '), `${index} ${name}`).toMatch(/[Ll]ines? \d+ (to \d+ )?of the audit log/);
      }
  });

  it('finds a line whose own hash was made to fit again', () => {
    const found = resealed(document, ({ sections }) => {
      const line = sections.ledger[1] as Line<'ledger'>;
      line.actor = 'somebody else';
      line.hash = hashEntry(line);
    });
    expect(found).toContain(
      'Line 5 of the audit log does not follow line 4 as it stands here: one of the two was changed.',
    );
  });

  it('finds lines cut off at both ends with anchors that were moved along', () => {
    const cut = resealed(document, ({ sections, chain }) => {
      sections.ledger.pop();
      const { seq, hash } = sections.ledger.at(-1) as Line<'ledger'>;
      chain.last = { seq, hash };
    });
    expect(cut).toContain('Line 6 of the audit log is missing.');
    const whole = resealed(wholeLedgerDocument(), ({ sections, chain }) => {
      const { seq, hash } = sections.ledger.shift() as Line<'ledger'>;
      chain.before = { seq, hash };
      chain.checked.lines = 4;
    });
    expect(whole.join(' ')).toMatch(/The server checked 4 lines of an audit log of 5/);
  });

  it.each<[string, (copy: EvidenceDocument) => void, RegExp]>([
    [
      'who granted',
      ({ sections }) => Object.assign(sections.exceptions[0]?.decisions[1] ?? {}, { by: 'dev' }),
      /Line 1 .*exceptions.* line 4 of the audit log/,
    ],
    [
      'a decision left out',
      ({ sections }) => sections.exceptions[0]?.decisions.pop(),
      /leaves out the decision in line 4 of the audit log/,
    ],
    [
      'a reason',
      ({ sections }) => Object.assign(sections.exceptions[0]?.decisions[0] ?? {}, { reason: 'x' }),
      /tells the decision of .* otherwise than line 3/,
    ],
    [
      'a policy',
      ({ sections }) => Object.assign(sections.policyVersions[0] ?? {}, { policy: { kev: 'warn' } }),
      /policyVersions.* version 7, does not say what the audit log says/,
    ],
    [
      'a fault the server found',
      ({ chain }) => Object.assign(chain.checked, { fault: 2 }),
      /Line 2 of the audit log did not fit the chain in the database/,
    ],
    [
      'a line outside the period',
      (copy) => Object.assign(copy.period, { from: '2029-01-01T00:00:00.000Z' }),
      /Line 3 of the audit log does not lie in the period/,
    ],
  ])('finds %s', (_what, change, wanted) => expect(resealed(document, change).join(' ')).toMatch(wanted));
});

describe('evidence from strangers', () => {
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['an empty object', '{}'],
    ['broken JSON', '{"a":'],
    ['a list', '[]'],
    ['deep nesting', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a prototype', json.replace('"installation"', '"__proto__":{"polluted":1},"installation"')],
    ['a member twice', json.replace('"installation"', '"format":"breakwater-evidence","installation"')],
    ['a page without a document', '<!doctype html><p>hello</p>'],
    ['a page cut in its document', renderEvidenceHtml(document).slice(0, -60)],
    ['another version', json.replace('"version": 1', '"version": 2')],
  ])('is told apart: %s', (_what, text) => {
    const { intact, findings } = verifyEvidence(Buffer.from(text));
    expect(intact).toBe(false);
    expect(findings.length).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('tells a number too large for JSON from none', () => {
    expect(json).toContain('"epss":null');
    expect(verifyEvidence(Buffer.from(json.replace('"epss":null', '"epss":1e999'))).intact).toBe(false);
  });

  it('finds any byte that changes what the document says, and never throws', () => {
    const bytes = Buffer.from(json);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (index, byte) => {
        const copy = Buffer.from(bytes);
        copy[index] = byte;
        const result = verifyEvidence(copy);
        if (result.intact) expect(JSON.parse(copy.toString())).toEqual(JSON.parse(json));
      }),
      { numRuns: 80 },
    );
  });

  it('never throws for values in the wrong places', () => {
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(sample)), fc.jsonValue(), (path, value) => {
        const { findings } = verify(altered(sample, path, (holder, name) => (holder[name] = value as Json)));
        for (const { message } of findings) expect(message.length).toBeLessThan(1500);
      }),
      { numRuns: 30 },
    );
  });

  it('never throws for bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => !verifyEvidence(bytes).intact));
  });
});
