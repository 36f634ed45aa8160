import type { TarItem } from '../../test/support/tar.ts';

type Node =
  | { readonly kind: 'file'; readonly content: Uint8Array | string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly entries: Map<string, Node> };
type Folder = Extract<Node, { kind: 'folder' }>;

const newFolder = (): Folder => ({ kind: 'folder', entries: new Map() });
const MOST_LINKS = 40;

/**
 * A file system that layers are unpacked into one after another, the way container runtimes do it: every file is kept, and
 * links on the way are followed inside the root. The oracle for composing: written on its own, with nothing of the scanner.
 */
export class FlatFileSystem {
  #root = newFolder();

  apply(layer: readonly TarItem[]): void {
    // What a layer hides is below it, so hiding comes first.
    for (const { name } of layer) if (baseOf(name) === '.wh..wh..opq') this.#empty(folderOf(name));
    for (const { name } of layer) {
      const base = baseOf(name);
      if (base.startsWith('.wh.') && base !== '.wh.' && !base.startsWith('.wh..wh.'))
        this.#folder(folderOf(name), false)?.entries.delete(base.slice(4));
    }
    for (const item of layer)
      if (!baseOf(item.name).startsWith('.wh.') || baseOf(item.name) === '.wh.') this.#unpack(item);
  }

  /** Everything in it, as one layer. */
  items(): TarItem[] {
    const items: TarItem[] = [];
    const visit = (folder: Folder, prefix: string): void => {
      for (const [name, node] of folder.entries) {
        const path = prefix + name;
        if (node.kind === 'file') items.push({ name: path, content: node.content });
        else if (node.kind === 'link') items.push({ name: path, type: 'symlink', link: node.target });
        else {
          items.push({ name: path, type: 'directory' });
          visit(node, `${path}/`);
        }
      }
    };
    visit(this.#root, '');
    return items;
  }

  #unpack(item: TarItem): void {
    const name = baseOf(item.name);
    if (name === '' || name === '.') return;
    const folder = this.#folder(folderOf(item.name), true);
    if (!folder) return;
    const present = folder.entries.get(name);
    if (item.type === 'directory') {
      if (present?.kind !== 'folder') folder.entries.set(name, newFolder());
    } else if (item.type === 'symlink') folder.entries.set(name, { kind: 'link', target: item.link ?? '' });
    else folder.entries.set(name, { kind: 'file', content: item.content ?? '' });
  }

  #empty(path: string): void {
    this.#folder(path, false)?.entries.clear();
  }

  /** The folder a path leads to; with `make`, what is missing or no folder becomes one. */
  #folder(path: string, make: boolean): Folder | undefined {
    const stack: Folder[] = [this.#root];
    const steps = path.split('/');
    let links = 0;
    while (steps.length > 0) {
      const step = steps.shift() ?? '';
      const here = stack.at(-1);
      if (!here || step === '' || step === '.') continue;
      if (step === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const node = here.entries.get(step);
      if (node?.kind === 'link' && links < MOST_LINKS) {
        links += 1;
        if (node.target.startsWith('/')) stack.length = 1;
        steps.unshift(...node.target.split('/'));
      } else if (node?.kind === 'folder') stack.push(node);
      else if (make) {
        const made = newFolder();
        here.entries.set(step, made);
        stack.push(made);
      } else return undefined;
    }
    return stack.at(-1);
  }
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}
