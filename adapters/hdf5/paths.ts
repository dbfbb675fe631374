/**
 * Paths: names separated by `/`, followed through links of all kinds.
 *
 *     /a/soft/d    soft -> ../b is a name like any other in HDF5; "." stands for the group itself
 *     /a/ext/d     ext -> other.h5:/b    goes on in another file of the container, beside this one
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../core/index.js";
import { lookup, splitPath } from "../dfs/index.js";
import type { Session } from "./session.js";
import { getLink, type StoredLink } from "./storage/links.js";
import { readHeader } from "./storage/objects.js";

/** Links that are followed on the way before a path is taken for a circle, as in HDF5. */
const LINKS_FOLLOWED_MAX = 16;

/** An object of a file, by the name that led to it. */
export interface Resolved {
  /** Of the file that the object is in: external links lead to others. */
  readonly session: Session;
  readonly oid: ObjectId;
  readonly isGroup: boolean;
  /** Name in that file, from its root. */
  readonly name: string;
}

/**
 * The names of a path; empty ones and dots do not count.
 *
 * @throws `DaosError` `DER_INVAL` for what is no string.
 */
export function namesOf(path: string): string[] {
  if (typeof path !== "string") {
    const text = { what: `Using ${String(path)} as a path`, why: `it is a ${typeof path}` };
    throw new DaosError("DER_INVAL", { ...text, remedy: "give names separated by slashes" });
  }
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** The name of what is in a group. */
export function join(group: string, name: string): string {
  return group === "/" ? `/${name}` : `${group}/${name}`;
}

/** The root group of a file. */
export function rootOf(session: Session): Resolved {
  return { session, oid: session.root, isGroup: true, name: "/" };
}

function circle(path: string): DaosError {
  const text = {
    what: `Opening "${path}"`,
    why: `more than ${LINKS_FOLLOWED_MAX} links lie on the way`,
    remedy: "look for links that lead to themselves",
  };
  return new DaosError("DER_INVAL", text, { path });
}

/** The file that an external link names: beside the file with the link, or from the container's root. */
export function openSibling(session: Session, file: string): Session | undefined {
  const directory = splitPath(session.path).slice(0, -1).join("/");
  const candidates = file.startsWith("/") ? [file] : [`${directory}/${file}`, file];
  for (const candidate of candidates) {
    const names = candidate.split("/").filter((name) => name !== "" && name !== ".");
    if (names.length === 0 || names.includes("..")) continue;
    const path = names.join("/");
    const inode = lookup(session.state("Following an external link"), path);
    if (inode?.kind !== "directory") continue;
    if (readHeader(session, inode.oid, path)?.kind === "file") {
      return session.sibling(path, inode.oid);
    }
  }
  return undefined;
}

/** Follows a link. */
function follow(
  group: Resolved,
  { name, target }: StoredLink,
  budget: { left: number },
): Resolved | undefined {
  if (target.kind === "hard") {
    const { oid, isGroup } = target;
    // The first link's own name is that of the object; others go by the name that was used.
    return { session: group.session, oid, isGroup, name: join(group.name, name) };
  }
  if (target.kind === "user") return undefined;
  if (budget.left-- <= 0) throw circle(join(group.name, name));
  if (target.kind === "soft") return walk(group, target.path, budget);
  const session = openSibling(group.session, target.file);
  return session && walk(rootOf(session), target.path, budget);
}

function walk(from: Resolved, path: string, budget: { left: number }): Resolved | undefined {
  const names = namesOf(path);
  let at: Resolved | undefined = path.startsWith("/") ? rootOf(from.session) : from;
  for (const name of names) {
    if (!at.isGroup) return undefined;
    const link = getLink(at.session, at.oid, name);
    at = link && follow(at, link, budget);
    if (at === undefined) return undefined;
  }
  if (at.isGroup) return at;
  return readHeader(at.session, at.oid, at.name) === undefined ? undefined : at;
}

/**
 * What a path leads to, from a group or, with a leading slash, from the root of its file.
 *
 * @throws `DaosError` `DER_INVAL` for links that lead in a circle, `DER_NO_HDL`.
 */
export function resolvePath(from: Resolved, path: string): Resolved | undefined {
  from.session.state(`Opening "${String(path)}"`);
  return walk(from, path, { left: LINKS_FOLLOWED_MAX });
}

/** The group that holds the last name of a path, and that name; `undefined` if there is no such group. */
export function resolveParent(
  from: Resolved,
  path: string,
): { parent: Resolved; name: string } | undefined {
  const names = namesOf(path);
  const name = names.pop();
  if (name === undefined) return undefined;
  const parent = resolvePath(from, (path.startsWith("/") ? "/" : "") + names.join("/"));
  return parent?.isGroup ? { parent, name } : undefined;
}
