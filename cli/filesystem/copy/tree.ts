/**
 * What a copy reads from and writes to: a tree of files, on a file system or in a container.
 *
 * Paths are relative to the tree's root, with "/" between names; the root is "". Calls are synchronous,
 * as the store's are. No call follows a symbolic link.
 *
 * @module
 */

/** What a name in a tree is; `invalid`: a name that is not UTF-8, shown in hexadecimal. */
export type EntryKind = "file" | "directory" | "symlink" | "special" | "invalid";

/** A name in a tree. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: EntryKind;
  /** Bytes of a file; 0 of anything else. */
  readonly size: number;
  /** When it was modified, in nanoseconds since 1970; `undefined` of a name that is not UTF-8. */
  readonly modified: bigint | undefined;
}

/** What a name has besides its kind and its bytes. */
export interface Attributes {
  /** Permission bits. */
  readonly mode: number;
  /** When it was modified, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** Extended attributes of users. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** A range `[start, end)` of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A file that is open for reading. Close it. */
export interface Content extends Disposable {
  /** One past its last byte. */
  readonly size: number;
  /** The parts that are not holes, in order. */
  ranges(): Iterable<ByteRange>;
  /**
   * Fills `target` with the bytes from `position` on.
   *
   * @throws If there are not so many.
   */
  read(target: Uint8Array, position: number): void;
  /**
   * Whether the file is still what it was when it was opened.
   *
   * @returns What has changed, or `undefined`.
   */
  changed(): string | undefined;
}

/** A tree that can be read. */
export interface SourceTree {
  /** What users call a path in it. */
  display(path: string): string;
  /** What a path is, or `undefined` if there is nothing. */
  entry(path: string): TreeEntry | undefined;
  /** The entries of a directory, by name. */
  list(path: string): TreeEntry[];
  /** Opens a file. */
  open(path: string): Content;
  /** What a name has besides its bytes. */
  attributes(path: string): Attributes;
  /** Where a symbolic link leads. */
  linkTarget(path: string): string;
}

/** A file that is to be written. */
export interface FileJob {
  readonly path: string;
  readonly attributes: Attributes;
  /** Its bytes; the caller closes it. */
  readonly content: Content;
}

/** What was read of a source: enough to verify a copy of it. */
export interface Written {
  readonly path: string;
  readonly size: number;
  /** The ranges that were written, in order. */
  readonly ranges: readonly ByteRange[];
  /** CRC-32C of the bytes in these ranges. */
  readonly crc: number;
  /** What could not be kept besides the bytes. */
  readonly lost?: string;
}

/** Told when a file is there, or why not. */
export type WrittenListener = (path: string, written: Written | undefined, error?: unknown) => void;

/** A tree that can be written. */
export interface TargetTree extends SourceTree {
  /** Makes a directory; one that exists is left as it is. It may be gathered, too. */
  makeDirectory(path: string): void;
  /**
   * Writes a file, which appears under its name as a whole or not at all. Small ones may be gathered:
   * the listener is told when one is there, at the latest by {@link flush}.
   *
   * @param advance Told how many bytes were moved.
   */
  putFile(job: FileJob, advance: (bytes: number) => void): void;
  /** Makes a symbolic link, in place of one that may be there. */
  putLink(path: string, target: string, attributes: Attributes): void;
  /** Finishes what was gathered. */
  flush(): void;
  /**
   * Gives a file or directory what it has besides its bytes; a directory, when all of its entries are there. It
   * may be gathered, too.
   *
   * @returns What could not be kept, or `undefined`.
   */
  putAttributes(path: string, kind: EntryKind, attributes: Attributes): string | undefined;
}

/** Whether two names have the same permission bits and extended attributes. */
export function sameAttributes(first: Attributes, second: Attributes): boolean {
  if (first.mode !== second.mode || first.xattrs.size !== second.xattrs.size) return false;
  return [...first.xattrs].every(([name, value]) => {
    const other = second.xattrs.get(name);
    return other !== undefined && Buffer.compare(value, other) === 0;
  });
}

/** A path below another. */
export function joined(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
