import { describe, expect, it } from 'vitest';
import { evidenceToJson, headerOf, sealDocument } from './document.ts';
import { extractJson } from './embedded.ts';
import { renderEvidenceHtml } from './html.ts';
import { escapeText } from './html-text.ts';
import { HOSTILE, sampleDocument } from './sample.testing.ts';
import { verifyEvidence } from './verify.ts';

const document = sampleDocument();
const page = renderEvidenceHtml(document);

describe('evidence as a page', () => {
  it('holds the document and verifies like it', () => {
    expect(JSON.parse(String(extractJson(Buffer.from(page))))).toEqual(JSON.parse(evidenceToJson(document)));
    const result = verifyEvidence(Buffer.from(page));
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({ intact: true, form: 'html', document: { digest: document.seals.document } });
  });

  it('finds lines of the page that were changed or removed', () => {
    const rows = page.split('\n');
    for (const [index, row] of rows.entries()) {
      // All of them: tamper.itest.ts.
      if (row === '' || index % 17 !== 0) continue;
      for (const other of [rows.with(index, `${row.slice(0, -1)}~`), rows.toSpliced(index, 1)])
        expect(verifyEvidence(Buffer.from(other.join('\n'))).intact, row).toBe(false);
    }
    const shown = page.replace('<td>not stored here</td>', '<td>allow</td>');
    expect(shown).not.toBe(page);
    expect(verifyEvidence(Buffer.from(shown)).findings[0]?.message).toMatch(/^Line \d+ of the page does not show/);
  });

  it('escapes every text, and loads and runs nothing', () => {
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/script/g)).toHaveLength(1);
    expect(page).not.toContain('alert(1)</script>');
    expect(page).not.toContain('\u202e\u0000');
    expect(page).not.toMatch(/<(img|link|iframe|object|embed|base|form)\b|\son\w+=|javascript:|\bsrc=|url\(/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, target]) => target?.startsWith('#'))).toBe(true);
    expect(page).toContain("default-src 'none'");
  });

  it('shows line breaks as such and what hides text by its code', () => {
    expect(escapeText('a\nb\t<\u202e\u0000\ud800>')).toBe(String.raw`a&#10;b&#9;&lt;\u{202e}\u{0}\u{d800}&gt;`);
    expect(escapeText(HOSTILE)).not.toMatch(/[<>"'\n]/);
  });

  it('begins with what an auditor asks first', () => {
    const text = page.slice(0, page.indexOf('<nav>')).replaceAll(/<[^>]*>/g, ' ');
    for (const figure of [
      /2 +stored manifests under 1 tags in 1 repositories of 2 projects/,
      /1 +of them blocked; 0 with a warning, 0 allowed, 1 not judged/,
      /1 +images running in 1 clusters/,
      /1 +exceptions in force, of 2/,
      /1 +trusted sources due for review, of 1 approved/,
      /2 +verdicts changed in the period, 1 of them to blocked/,
      /A\.12\.6\.1 and ISO\/IEC 27001:2022 A\.8\.8/,
    ])
      expect(text).toMatch(figure);
  });

  it('renders sections without lines', () => {
    const { sections, seals: _seals } = document;
    const empty = Object.fromEntries(Object.keys(sections).map((name) => [name, []])) as unknown as typeof sections;
    expect(renderEvidenceHtml(sealDocument(headerOf(document), empty)).match(/<p>None\.<\/p>/g)).toHaveLength(15);
  });
});
