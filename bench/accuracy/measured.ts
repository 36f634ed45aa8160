import type { ToolReport } from './facts.ts';
import type { TestImage } from './images.ts';

/** What every tool says about one image; a tool that could not read it is named with its words. */
export interface Measured {
  readonly image: TestImage;
  readonly reports: ReadonlyMap<string, ToolReport | { readonly failed: string }>;
}
