/**
 * Walks through groups: every object once, or every link.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import { namesOf, type Resolved, resolvePath } from "../paths.js";
import type { LinkTarget } from "../storage/link-format.js";
import { listLinks, type StoredLink } from "../storage/links.js";
import { StoredGroup } from "../storage/stored-group.js";

/** What a hard link leads to. */
export type HardTarget = Extract<LinkTarget, { kind: "hard" }>;

/** What becomes of a walk at a link. */
interface Step<T> {
  /** Whether it goes into the group that the link leads to. */
  readonly goesOn: boolean;
  /** Ends the walk, if it is not `undefined`. */
  readonly result?: T | undefined;
}

async function walk<T>(
  prefix: string,
  group: StoredGroup,
  step: (name: string, link: StoredLink) => Promise<Step<T>>,
): Promise<T | undefined> {
  for (const link of listLinks(group.session, group.oid)) {
    const name = prefix + link.name;
    const { goesOn, result } = await step(name, link);
    if (result !== undefined) return result;
    if (!goesOn || link.target.kind !== "hard") continue;
    const below = new StoredGroup(group.session, link.target.oid, name);
    const found = await walk(`${name}/`, below, step);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Calls a function for every object below a group, once, until a result. */
export async function visitObjects<T>(
  group: StoredGroup,
  visitor: (name: string, target: HardTarget) => Promise<T | undefined>,
): Promise<T | undefined> {
  const seen = new Set([group.oid]);
  return walk("", group, async (name, { target }): Promise<Step<T>> => {
    if (target.kind !== "hard" || seen.has(target.oid)) return { goesOn: false };
    seen.add(target.oid);
    return { goesOn: target.isGroup, result: await visitor(name, target) };
  });
}

/** Calls a function for every link below a group, until a result. */
export async function visitLinks<T>(
  group: StoredGroup,
  visitor: (name: string, link: StoredLink) => Promise<T | undefined>,
): Promise<T | undefined> {
  const entered = new Set([group.oid]);
  return walk("", group, async (name, link): Promise<Step<T>> => {
    const { target } = link;
    const goesOn = target.kind === "hard" && target.isGroup && !entered.has(target.oid);
    if (target.kind === "hard") entered.add(target.oid);
    return { goesOn, result: await visitor(name, link) };
  });
}

/** Whether a group is an object, or lies below it. */
export function isInside(group: StoredGroup, oid: ObjectId): boolean {
  if (group.oid === oid) return true;
  const { session } = group;
  let at: Resolved = { session, oid: session.root, isGroup: true, name: "/" };
  for (const name of namesOf(group.name)) {
    if (at.oid === oid) return true;
    const next = resolvePath(at, name);
    if (next === undefined) return false;
    at = next;
  }
  return at.oid === oid;
}
