import type { Digest } from '../../oci/digest.ts';
import type { FileEvidence, LayerEvidence } from '../model.ts';

/** A file with evidence, with the evidence it replaced in lower layers, newest first. */
export interface FileNode {
  readonly kind: 'file';
  readonly evidence: FileEvidence;
  /** Number of the layer that wrote it. */
  readonly layer: number;
  readonly before: readonly { readonly evidence: FileEvidence; readonly layer: number }[];
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly children: Map<string, TreeNode>;
}

interface LinkNode {
  readonly kind: 'link';
  readonly target: string;
}

export type TreeNode = FileNode | DirectoryNode | LinkNode;

/** A layer in the order of the stack. */
export interface StackedLayer {
  readonly digest?: Digest;
  readonly evidence: LayerEvidence;
}

/** As many links as Linux follows in one path. */
const MOST_LINKS = 40;

/**
 * The file system that a stack of layers makes, as far as evidence needs it: files with evidence, symbolic links, and the
 * folders above them. Plain files are not kept, only what they take away.
 */
export class LayerTree {
  readonly root: DirectoryNode = { kind: 'directory', children: new Map() };

  /** Puts a layer on top: first what it removes from below, then its entries in the order of the archive. */
  apply(layer: LayerEvidence, number: number): void {
    for (const path of layer.opaque) this.#clear(path);
    for (const path of layer.removed) this.#remove(path);
    for (const entry of layer.entries) {
      const [kind, path] = entry;
      if (kind === 'd') this.#makeDirectory(path);
      else if (kind === 'l') this.#put(path, { kind: 'link', target: entry[2] });
      else if (kind === 'h') this.#linkHard(path, entry[2], number);
      else if (kind === 'e') this.#putFile(path, layer.files[entry[2]], number);
      else this.#replace(path);
    }
  }

  /** The file a path leads to, links followed inside the root; undefined when it leads nowhere. */
  find(path: string): FileNode | undefined {
    const node = this.#resolve(path, true);
    return node?.kind === 'file' ? node : undefined;
  }

  /** The path without links in its folders: what an owner and a finder of the same file both arrive at. */
  canonical(path: string): string {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    return [...this.#walk(parts, { links: MOST_LINKS, make: false }).path, name].join('/');
  }

  /** Every file with evidence and its real path. */
  *files(): Generator<readonly [path: string, file: FileNode]> {
    yield* filesBelow(this.root, '');
  }

  #putFile(path: string, evidence: FileEvidence | undefined, layer: number): void {
    if (!evidence) return this.#replace(path);
    const previous = this.#resolve(path, false);
    const before =
      previous?.kind === 'file' ? [{ evidence: previous.evidence, layer: previous.layer }, ...previous.before] : [];
    this.#put(path, { kind: 'file', evidence, layer, before });
  }

  /** A hard link is the file it names; what carries no evidence replaces like any plain file. */
  #linkHard(path: string, target: string, layer: number): void {
    const linked = this.#resolve(target, false);
    if (linked?.kind === 'file') this.#putFile(path, linked.evidence, layer);
    else if (linked?.kind === 'link') this.#put(path, linked);
    else this.#replace(path);
  }

  #put(path: string, node: TreeNode): void {
    const { folder, name } = this.#parent(path, true);
    folder?.children.set(name, node);
  }

  /** A folder entry replaces a link or a file, but leaves a folder as it is. */
  #makeDirectory(path: string): void {
    const { folder, name } = this.#parent(path, false);
    const present = folder?.children.get(name);
    if (present && present.kind !== 'directory') folder?.children.set(name, { kind: 'directory', children: new Map() });
  }

  #remove(path: string): void {
    this.#parent(path, false).folder?.children.delete(baseName(path));
  }

  /** A plain file takes the place of whatever was there; what stood in the way of its folders is gone too. */
  #replace(path: string): void {
    this.#parent(path, true).folder?.children.delete(baseName(path));
  }

  #clear(path: string): void {
    if (path === '') this.root.children.clear();
    const node = this.#resolve(path, true);
    if (node?.kind === 'directory') node.children.clear();
  }

  #parent(path: string, make: boolean): { readonly folder: DirectoryNode | undefined; readonly name: string } {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    return { folder: this.#walk(parts, { links: MOST_LINKS, make }).node, name };
  }

  #resolve(path: string, follow: boolean): TreeNode | undefined {
    let { folder, name } = this.#parent(path, false);
    let current = path;
    for (let links = 0; links < MOST_LINKS; links += 1) {
      const node = name === '' ? this.root : folder?.children.get(name);
      if (node?.kind !== 'link' || !follow) return node;
      current = joined(this.canonical(current), node.target);
      ({ folder, name } = this.#parent(current, false));
    }
    return undefined;
  }

  /**
   * Goes down from the root through folders and links. With `make` what is missing is made and what is no folder is
   * replaced by one, as an unpacker does; else the walk gives no node, but the path goes on as written.
   */
  #walk(
    parts: readonly string[],
    how: { readonly links: number; readonly make: boolean },
  ): { readonly node: DirectoryNode | undefined; readonly path: readonly string[] } {
    const todo = [...parts].reverse();
    let { links } = how;
    let node: DirectoryNode | undefined = this.root;
    const path: string[] = [];
    const above: (DirectoryNode | undefined)[] = [];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (path.pop() !== undefined) node = above.pop();
        continue;
      }
      const child: TreeNode | undefined = node?.children.get(part);
      if (child?.kind === 'link' && links > 0) {
        links -= 1;
        todo.push(...child.target.split('/').reverse());
        if (child.target.startsWith('/')) {
          node = this.root;
          path.length = 0;
          above.length = 0;
        }
        continue;
      }
      above.push(node);
      path.push(part);
      node = child?.kind === 'directory' ? child : how.make && node ? made(node, part) : undefined;
    }
    return { node, path };
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function made(folder: DirectoryNode, name: string): DirectoryNode {
  const child: DirectoryNode = { kind: 'directory', children: new Map() };
  folder.children.set(name, child);
  return child;
}

/** Where a link at `path` leads: its target from the folder it lies in. */
function joined(path: string, target: string): string {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  const parts: string[] = [];
  for (const part of (target.startsWith('/') ? target : `${folder}/${target}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function* filesBelow(folder: DirectoryNode, prefix: string): Generator<readonly [string, FileNode]> {
  for (const [name, node] of folder.children) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    if (node.kind === 'file') yield [path, node];
    else if (node.kind === 'directory') yield* filesBelow(node, path);
  }
}
