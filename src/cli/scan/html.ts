import { CONTENT_POLICY, type Html, html, lines } from '../../evidence/html-text.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { counted } from '../../platform/counted.ts';
import { VERSION } from '../../platform/version.ts';
import { explain } from '../../policy/explain.ts';
import { advisoryLink } from './advisory-link.ts';
import { coverageLines } from './coverage-lines.ts';
import { type NumberedLayer, numberedLayers } from './layer-numbers.ts';
import { type PackageGroup, packageGroups } from './package-groups.ts';
import type { ReportedFinding, ScanReport } from './report.ts';
import { setAsideText } from './set-aside-text.ts';

const STYLE = `
:root { color-scheme: light; font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; }
body { max-width: 100rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; } .verdict { font-size: 1.1rem; padding: .6rem .8rem; border-left: 5px solid currentcolor; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.figures li { border: 1px solid #d0d7de; border-radius: 6px; padding: .5rem .8rem; } .figures b { display: block; font-size: 1.3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #f6f8fa; overflow-wrap: normal; } code { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
ul.ids { margin: 0; padding: 0; list-style: none; } details summary { cursor: pointer; }
.critical, .block { color: #a40e26; } .high { color: #b35900; } .medium, .warn { color: #7d4e00; } .allow { color: #116329; } .kev { background: #a40e26; color: #fff; border-radius: 3px; padding: 0 .3em; }
@media print { body { padding: 0; max-width: none; font-size: 10px; } thead { display: table-header-group; } tr { break-inside: avoid; } .wide { overflow: visible; } a { color: inherit; text-decoration: none; } }
`.trim();

const LONGEST_TEXT = 1000;

/** A scan as one page that needs nothing else and prints well; every text of others is escaped. `now` in epoch ms. */
export function scanPage(report: ScanReport, now: number): string {
  const { target, digest, packages, verdict, coverage } = report;
  const groups = packageGroups(report);
  const layers = numberedLayers(report);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${{ html: CONTENT_POLICY }}">
<meta name="generator" content="breakwater ${VERSION}">
<title>Scan of ${short(target)}</title>
<style>
${{ html: STYLE }}
</style>
</head>
<body>
<header>
<h1>Scan of ${short(target)}</h1>
${digest === undefined ? undefined : html`<p>Digest <code>${digest}</code></p>`}
<p>${counted(packages.length, 'package')}, scanned ${toRfc3339(now)} by breakwater ${VERSION}</p>
<p class="verdict ${verdict.kind}">${explain(verdict)}</p>
</header>
<main>
${figures(report)}
${findingSection(groups, layers)}
${layerSection(groups, layers)}
${setAsideSection(report.findings)}
<h2>How far this reaches</h2>
${lines(coverageLines(coverage, now).map((line) => html`<p>${short(line)}</p>`))}
${packageSection(report)}
</main>
</body>
</html>
`.html;
}

function figures({ verdict: { counts }, findings }: ScanReport): Html {
  const exploited = new Set(
    findings.filter(({ kev, setAside }) => kev !== undefined && setAside === undefined).map(({ id }) => id),
  ).size;
  const levels = Object.entries(counts.bySeverity).filter(([, count]) => count > 0);
  const shown: readonly (readonly [number, string, string])[] = [
    ...levels.reverse().map(([level, count]) => [count, level, level] as const),
    [counts.fixable, 'with a fix', ''],
    [exploited, 'known to be exploited', ''],
    [counts.suppressed, 'set aside', ''],
  ];
  const items = shown.map(([count, text, style]) => html`<li><b class="${style}">${count}</b> ${text}</li>`);
  return html`<ul class="figures">${items}</ul>`;
}

function findingSection(groups: readonly PackageGroup[], layers: ReadonlyMap<string, NumberedLayer>): Html {
  if (groups.length === 0) return html`<h2>Findings</h2><p>No known vulnerabilities that count.</p>`;
  const columns = ['Package', 'Installed', 'Fixed in', 'Worst', 'Layer', 'Found at', 'Vulnerabilities'];
  return table(
    `Findings in ${counted(groups.length, 'package')}`,
    columns,
    groups.map((group) => [
      short(group.name),
      html`<code>${short(group.installed)}</code>`,
      fixOf(group),
      html`<strong class="${group.worst}">${group.worst}</strong>`,
      group.layers.map((one) => layers.get(one)?.number ?? '').join(', '),
      short(group.paths.slice(0, 5).join(', ') + (group.paths.length > 5 ? ` and ${group.paths.length - 5} more` : '')),
      html`<ul class="ids">${group.findings.map(idItem)}</ul>`,
    ]),
  );
}

function fixOf({ fixed, unfixable = 'no fix yet', unfixed }: PackageGroup): Html {
  if (fixed === undefined) return html`${short(unfixable)}`;
  const open = unfixed === 0 ? '' : ` (${unfixed} without a fix)`;
  return html`<code>${short(fixed)}</code>${open}`;
}

function idItem({ id, severity, severitySource, kev, malicious, fixed }: ReportedFinding): Html {
  const link = advisoryLink(id);
  const name = link === undefined ? html`${short(id)}` : html`<a href="${link}" rel="noreferrer">${id}</a>`;
  const marks = [...(malicious ? ['malicious'] : []), ...(kev === undefined ? [] : [`exploited since ${short(kev)}`])];
  const mark = marks.map((text) => html` <span class="kev">${text}</span>`);
  const source = severitySource === undefined ? '' : ` (${short(severitySource)})`;
  const fix = fixed === undefined ? ', no fix yet' : `, fixed in ${short(fixed)}`;
  return html`<li>${name}${mark} <span class="${severity}">${severity}</span>${source}${fix}</li>`;
}

function layerSection(groups: readonly PackageGroup[], layers: ReadonlyMap<string, NumberedLayer>): Html | undefined {
  const used = new Set(groups.flatMap((group) => group.layers));
  const shown = [...layers.values()].filter(({ digest }) => used.has(digest ?? ''));
  if (shown.length === 0) return undefined;
  return table(
    'Layers that brought them',
    ['Layer', 'Digest', 'Build step'],
    shown.map(({ number, digest, createdBy }) => [number, html`<code>${digest}</code>`, short(createdBy ?? '')]),
  );
}

function setAsideSection(findings: readonly ReportedFinding[]): Html | undefined {
  const rows = findings.flatMap((finding) =>
    finding.setAside
      ? [[short(finding.id), short(`${finding.package} ${finding.installed}`), short(setAsideText(finding.setAside))]]
      : [],
  );
  return rows.length === 0 ? undefined : table('Set aside, not counted', ['Vulnerability', 'Package', 'By'], rows);
}

function packageSection({ packages }: ScanReport): Html {
  const rows = packages.map(({ type, name, version, licence, path }) => [
    type,
    short(name),
    html`<code>${short(version)}</code>`,
    short(licence ?? ''),
    short(path),
  ]);
  const content = table(
    `All ${counted(packages.length, 'package')}`,
    ['Type', 'Name', 'Version', 'Licence', 'Found at'],
    rows,
  );
  return html`<details><summary>Everything that is installed</summary>${content}</details>`;
}

function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly (Html | string | number)[])[],
): Html {
  return lines([
    html`<h2>${title}</h2>`,
    html`<div class="wide"><table><thead><tr>${columns.map((column) => html`<th>${column}</th>`)}</tr></thead><tbody>`,
    ...rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`),
    html`</tbody></table></div>`,
  ]);
}

function short(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
