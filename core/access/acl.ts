/**
 * What a user may do by an access control list.
 *
 * Entries are matched in DAOS's order, and the first kind that matches decides:
 *
 *     OWNER@ ─▶ the named user ─▶ the union of all groups that the user is in ─▶ EVERYONE@ ─▶ nothing
 *
 * The owner may get and set the list whatever it says; an administrator may do everything.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { Acl, AclEntry } from "./acl-format.js";
import { PERMISSIONS } from "./acl-format.js";
import { isMember, isUser, type KnownIdentity } from "./identity.js";

/** A letter of a permission; see {@link PERMISSIONS}. */
export type Permission = "r" | "w" | "c" | "d" | "t" | "T" | "a" | "A" | "o";

/** Permissions that somebody has, as letters of `rwcdtTaAo`. */
export type Rights = string;

/** All permissions. */
export const ALL_RIGHTS: Rights = PERMISSIONS;

/** Who owns a pool or container. */
export interface Ownership {
  /** The owner, with `@` behind the name. */
  readonly owner: string;
  /** The group that owns it, with `@` behind the name. */
  readonly group: string;
}

/** The permissions of several sets, in their order, each once. */
export function unionOf(...rights: readonly Rights[]): Rights {
  return [...PERMISSIONS].filter((letter) => rights.some((set) => set.includes(letter))).join("");
}

function listed(acl: Acl, { owner, group }: Ownership, identity: KnownIdentity): Rights {
  const named = (wanted: string) => acl.find(({ principal }) => principal === wanted);
  const ofOwner = named("OWNER@");
  if (ofOwner !== undefined && isUser(identity, owner)) return ofOwner.permissions;
  const ofUser = acl.find(
    ({ principal, isGroup }) => !isGroup && !isSpecial(principal) && isUser(identity, principal),
  );
  if (ofUser !== undefined) return ofUser.permissions;
  const isOwn = ({ principal, isGroup }: AclEntry) =>
    isGroup && isMember(identity, principal === "GROUP@" ? group : principal);
  const ofGroups = acl.filter(isOwn);
  if (ofGroups.length > 0) return unionOf(...ofGroups.map(({ permissions }) => permissions));
  return named("EVERYONE@")?.permissions ?? "";
}

function isSpecial(principal: string): boolean {
  return principal === "OWNER@" || principal === "EVERYONE@";
}

/** What a user may do by a list. */
export function rightsOf(acl: Acl, ownership: Ownership, identity: KnownIdentity): Rights {
  if (identity.isAdministrator === true) return ALL_RIGHTS;
  const rights = listed(acl, ownership, identity);
  return isUser(identity, ownership.owner) ? unionOf(rights, "aA") : rights;
}

/** What `w` on a pool means besides: creating and destroying containers. */
export function poolRights(rights: Rights): Rights {
  return rights.includes("w") ? unionOf(rights, "cd") : rights;
}

/** What permissions on a pool allow on a container that has no list of its own. */
export function inheritedRights(pool: Rights): Rights {
  const reads = pool.includes("r") ? "rt" : "";
  const writes = pool.includes("w") ? "rwtT" : "";
  return unionOf(reads, writes, [...pool].filter((letter) => "daAo".includes(letter)).join(""));
}

/**
 * The list that the permissions of files amount to.
 *
 * @param mode Permission bits of the file that decides who may write.
 */
export function aclOfMode(mode: number): Acl {
  const rights = (bits: number): Rights => {
    if ((bits & 4) === 0) return "";
    return (bits & 2) === 0 ? "rt" : "rwcdtT";
  };
  const owner = unionOf(rights(mode >> 6), "aA", (mode & 0o200) === 0 ? "" : "o");
  return [
    { principal: "OWNER@", isGroup: false, permissions: owner },
    { principal: "GROUP@", isGroup: true, permissions: rights(mode >> 3) },
    { principal: "EVERYONE@", isGroup: false, permissions: rights(mode) },
  ];
}

/**
 * Permission bits of directories that fit a list: what it gives the owner, the owning group and everybody.
 * Bits of files are the same without those for execution. Other named users and groups need an entry
 * of the file system's own.
 */
export function modeOfAcl(acl: Acl): number {
  const bits = (principal: string): number => {
    const rights = acl.find((entry) => entry.principal === principal)?.permissions ?? "";
    if (/[wcdTAo]/.test(rights)) return 7;
    return /[rta]/.test(rights) ? 5 : 0;
  };
  return 0o700 | (bits("GROUP@") << 3) | bits("EVERYONE@");
}

/** The error of a right that a handle does not have. */
export function noRight(what: string, permission: string, rights: Rights): DaosError {
  const has = rights === "" ? "nothing" : `"${rights}"`;
  return new DaosError(
    "DER_NO_PERM",
    {
      what,
      why: `the access control list allows this user ${has}, and this needs "${permission}"`,
      remedy: "ask the owner for the permission, then open it again",
    },
    { permission, rights },
  );
}

/**
 * Refuses rights that have none of some permissions.
 *
 * @throws {@link DaosError} `DER_NO_PERM`.
 */
export function requireAnyRight(what: string, permissions: string, rights: Rights): void {
  if ([...permissions].some((right) => rights.includes(right))) return;
  throw noRight(what, permissions[0] as string, rights);
}
