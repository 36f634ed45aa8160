import type { Digest } from '../../oci/digest.ts';
import type { FileEvidence, LayerEvidence } from '../model.ts';
import { readEntries } from './entries.ts';

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
  /** The build step that made it. */
  readonly createdBy?: string;
  readonly evidence: LayerEvidence;
}

/** As many links as Linux follows in one path. */
const MOST_LINKS = 40;
/**
 * Steps from folder to folder in all; a second or two. Ordinary images of millions of files stay below: only links to links
 * with long targets get there.
 */
const MOST_STEPS = 30_000_000;

interface Parent {
  readonly folder: DirectoryNode | undefined;
  readonly name: string;
}

/**
 * The file system that a stack of layers makes, as far as evidence needs it: files with evidence, symbolic links, and the
 * folders above them. Plain files are not kept, only what they take away.
 */
export class LayerTree {
  readonly root: DirectoryNode = { kind: 'directory', children: new Map() };
  #steps = 0;
  /** The folder found last: archives list a folder's files one after another. Forgotten when links or folders change. */
  #last: { readonly path: string; readonly folder: DirectoryNode } | undefined;

  /** True when links led around for so long that the tree was given up. */
  get exhausted(): boolean {
    return this.#steps > MOST_STEPS;
  }

  /** Puts a layer on top: first what it removes from below, then its entries in the order of the archive. */
  apply(layer: LayerEvidence, number: number): void {
    for (const path of layer.opaque) this.#clear(path);
    for (const path of layer.removed) this.#delete(path, false);
    for (const entry of readEntries(layer.entries)) {
      if (this.exhausted) return;
      const [kind, path] = entry;
      if (kind === 'd') this.#makeDirectory(path);
      else if (kind === 'l') this.#put(path, { kind: 'link', target: entry[2] });
      else if (kind === 'h') this.#linkHard(path, entry[2], number);
      else if (kind === 'e') this.#putFile(path, layer.files[entry[2]], number);
      else this.#delete(path, true);
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
    return [...this.#walk(parts, false).path, name].join('/');
  }

  /** Every file with evidence and its real path. */
  *files(): Generator<readonly [path: string, file: FileNode]> {
    yield* filesBelow(this.root);
  }

  #putFile(path: string, evidence: FileEvidence | undefined, layer: number): void {
    if (!evidence) return this.#delete(path, true);
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
    else this.#delete(path, true);
  }

  #put(path: string, node: TreeNode): void {
    const { folder, name } = this.#parent(path, true);
    if (!folder) return;
    if (node.kind !== 'file' || folder.children.get(name)?.kind !== 'file') this.#last = undefined;
    folder.children.set(name, node);
  }

  /** A folder entry replaces a link or a file, but leaves a folder as it is. */
  #makeDirectory(path: string): void {
    const { folder, name } = this.#parent(path, true);
    const present = folder?.children.get(name);
    if (!folder || !present || present.kind === 'directory') return;
    this.#last = undefined;
    folder.children.set(name, { kind: 'directory', children: new Map() });
  }

  /**
   * Takes away what is there: a whiteout does, and a plain file that comes in its place. With `make` what stood in the way
   * of its folders is gone too.
   */
  #delete(path: string, make: boolean): void {
    const folder = this.#folderOf(path, make);
    // Most folders hold nothing that is kept, and a new text as a key of a map costs more than all the rest.
    if (!folder || folder.children.size === 0) return;
    if (folder.children.delete(path.slice(path.lastIndexOf('/') + 1))) this.#last = undefined;
  }

  #clear(path: string): void {
    this.#last = undefined;
    const node = path === '' ? this.root : this.#resolve(path, true);
    if (node?.kind === 'directory') node.children.clear();
  }

  #parent(path: string, make: boolean): Parent {
    return { folder: this.#folderOf(path, make), name: path.slice(path.lastIndexOf('/') + 1) };
  }

  #folderOf(path: string, make: boolean): DirectoryNode | undefined {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return this.root;
    const last = this.#last;
    if (last?.path.length === slash && path.startsWith(last.path)) return last.folder;
    const above = path.slice(0, slash);
    const folder = this.#descend(above, make) ?? this.#walk(above.split('/'), make).node;
    if (folder) this.#last = { path: above, folder };
    return folder;
  }

  /** What lies at a path, its folders' links followed, and with `follow` its own. */
  #resolve(path: string, follow: boolean): TreeNode | undefined {
    let parts = path.split('/');
    for (let links = 0; links <= MOST_LINKS; links += 1) {
      const name = parts.pop() ?? '';
      const above = this.#walk(parts, false);
      const node = name === '' || name === '.' ? above.node : above.node?.children.get(name);
      if (node?.kind !== 'link' || !follow) return node;
      parts = [...(node.target.startsWith('/') ? [] : above.path), ...node.target.split('/')];
    }
    return undefined;
  }

  /** As `#walk`, where nothing but folders lies on a normal path: nearly always. Undefined for everything else. */
  #descend(path: string, make: boolean): DirectoryNode | undefined {
    let node = this.root;
    for (let start = 0; start <= path.length; ) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      const part = path.slice(start, end);
      this.#steps += 1;
      const child = node.children.get(part);
      if (child?.kind === 'directory') node = child;
      else if (child || !make || part === '' || part === '.' || part === '..') return undefined;
      else node = this.#made(node, part);
      start = end + 1;
    }
    return node;
  }

  /**
   * Goes down from the root through folders and links. With `make` what is missing is made and what is no folder is
   * replaced by one, as an unpacker does; else the walk gives no node, but the path goes on as written.
   */
  #walk(
    parts: readonly string[],
    make: boolean,
  ): { readonly node: DirectoryNode | undefined; readonly path: readonly string[] } {
    const todo = [...parts].reverse();
    let links = MOST_LINKS;
    let node: DirectoryNode | undefined = this.root;
    const path: string[] = [];
    const above: (DirectoryNode | undefined)[] = [];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      this.#steps += 1;
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
      node = child?.kind === 'directory' ? child : make && node ? this.#made(node, part) : undefined;
    }
    return { node, path };
  }

  #made(folder: DirectoryNode, name: string): DirectoryNode {
    if (folder.children.has(name)) this.#last = undefined;
    const child: DirectoryNode = { kind: 'directory', children: new Map() };
    folder.children.set(name, child);
    return child;
  }
}

/** Every file below a folder. Without recursion: folders may be thousands deep. */
function* filesBelow(root: DirectoryNode): Generator<readonly [string, FileNode]> {
  const queue: [string, DirectoryNode][] = [['', root]];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const [prefix, folder] = next;
    for (const [name, node] of folder.children) {
      if (node.kind === 'file') yield [prefix + name, node];
      else if (node.kind === 'directory') queue.push([`${prefix}${name}/`, node]);
    }
  }
}
