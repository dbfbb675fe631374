/**
 * Names that exist, and what is done with them.
 *
 *     /runs/step-10   ─▶ { parent: object of /runs, name: "step-10", inode }
 *     /               ─▶ { parent: root object, name: "/", inode }
 *
 * @module
 */

import type { Container, ContainerView } from "../../core/index.js";
import type { NamespaceState, Place } from "./directory.js";
import { noEntryError } from "./errors.js";
import type { Inode } from "./inode-format.js";
import { find } from "./path-walk.js";

/** A name that exists. */
export interface FoundPlace extends Place {
  /** What it stands for. */
  readonly inode: Inode;
}

/** A name that exists, and how it is reached. */
export interface NamedFile {
  readonly container: Container;
  /** The version that is read. */
  readonly view: ContainerView;
  readonly path: string;
  readonly place: FoundPlace;
  /** What is done, for errors. */
  readonly what: string;
  /** @throws {@link DfsError} `EROFS` if nothing can be changed. */
  readonly requireChangeable: () => void;
  /** Told when something was changed. */
  readonly changed?: (() => void) | undefined;
}

/**
 * Where the name at the end of a path is stored.
 *
 * @param what What is done, for errors.
 * @param options `follow`: where the name leads that a symbolic link at the end stands for; `true` by default.
 * @throws `DaosError` with the POSIX code `ENOENT`, `ENOTDIR`, `ELOOP` or `ENAMETOOLONG`.
 */
export function findPlace(
  state: NamespaceState,
  path: string,
  what: string,
  { follow = true }: { readonly follow?: boolean } = {},
): FoundPlace {
  const { parent, name, inode } = find(state, path, { what, follow });
  if (inode === undefined) throw noEntryError(path, what);
  return { parent, name, inode };
}
