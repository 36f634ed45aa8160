import { describe, expect, it } from 'vitest';
import { evidenceToJson } from './document.ts';
import { renderEvidenceHtml } from './html.ts';
import { sampleDocument } from './sample.testing.ts';
import { altered, type Json, pathsOf, placeOf, remove, replace } from './tamper.testing.ts';
import { verifyEvidence } from './verify.ts';

const document = sampleDocument();
const sample = JSON.parse(evidenceToJson(document)) as Json;

describe('evidence that was tampered with, all possible places', () => {
  it.each([
    ['changed', replace],
    ['removed', remove],
  ] as const)('finds and names every single value that was %s', (_what, change) => {
    const paths = pathsOf(sample);
    expect(paths.length).toBeGreaterThan(400);
    for (const path of paths) {
      const { findings } = verifyEvidence(Buffer.from(JSON.stringify(altered(sample, path, change))));
      const said = findings.map(({ message }) => message).join(' ');
      expect(said, path.join('.')).toContain(placeOf(path));
    }
  });

  it('finds every line of the page that was changed or removed', () => {
    const rows = renderEvidenceHtml(document).split('\n');
    for (const [index, row] of rows.entries()) {
      if (row === '') continue;
      for (const other of [rows.with(index, `${row.slice(0, -1)}~`), rows.toSpliced(index, 1)])
        expect(verifyEvidence(Buffer.from(other.join('\n'))).intact, row).toBe(false);
    }
  });
});
