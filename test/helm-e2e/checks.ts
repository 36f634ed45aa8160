const failed: string[] = [];
let passed = 0;

/** Runs one check and prints how it ended; a failure does not stop the others. */
export async function check(name: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed.push(name);
    console.log(`FAIL  ${name}\n${indent(error instanceof Error ? error.message : String(error))}`);
  }
}

/** Prints the last line; true when nothing failed and something was checked. */
export function summary(): boolean {
  console.log(`\n${passed} passed, ${failed.length} failed`);
  return failed.length === 0 && passed > 0;
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '      ');
}
