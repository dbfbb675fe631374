/**
 * Links: what a name of a group leads to, without following it.
 *
 * @module
 */

import type { StoredLink } from "../storage/links.js";

/** Leads to an object of the file. */
export class HardLink {
  /** Which kind this is. */
  readonly kind = "hard";
}

/** Leads to whatever a path of the file leads to. */
export class SoftLink {
  /** Which kind this is. */
  readonly kind = "soft";
  /** The path, from the group that holds the link, or with a leading slash from the file's root. */
  readonly path: string;

  /** @param path May lead nowhere yet. */
  constructor(path: string) {
    this.path = path;
  }
}

/** Leads to an object of another file of the container. */
export class ExternalLink {
  /** Which kind this is. */
  readonly kind = "external";
  /** The file: beside the one with the link, or from the container's root. */
  readonly filename: string;
  /** Path of the object in that file. */
  readonly path: string;

  /** @param filename The file, and @param path the object in it, may not exist yet. */
  constructor(filename: string, path: string) {
    this.filename = filename;
    this.path = path;
  }
}

/** A link of a kind that only its writer understands. */
export class UserLink {
  /** Which kind this is. */
  readonly kind = "user";
  /** Number of the kind, as registered with HDF5. */
  readonly type: number;
  /** What the kind makes of it. */
  readonly data: Uint8Array;

  /** @internal */
  constructor(type: number, data: Uint8Array) {
    this.type = type;
    this.data = data;
  }
}

/** Any link. */
export type Link = HardLink | SoftLink | ExternalLink | UserLink;

/** A link of the store, as a program sees it. */
export function linkOf({ target }: StoredLink): Link {
  switch (target.kind) {
    case "soft":
      return new SoftLink(target.path);
    case "external":
      return new ExternalLink(target.file, target.path);
    case "user":
      return new UserLink(target.type, target.data);
    default:
      return new HardLink();
  }
}
