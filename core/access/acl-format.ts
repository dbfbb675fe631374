/**
 * Access control lists as text, in the form of DAOS:
 *
 *     list       entry { ("," | newline) entry }       empty lines and lines that begin with # are skipped
 *     entry      "A" ":" flags ":" principal ":" permissions
 *     flags      "" or "G"                             G: the principal is a group
 *     principal  "OWNER@" | "GROUP@" (flag G) | "EVERYONE@" | name "@" (with flag G: of a group)
 *     permissions  any of r w c d t T a A o, each at most once; none denies
 *
 *     r read   w write   c create containers   d destroy   t get properties   T set properties
 *     a get the list   A set the list   o set the owner
 *
 * The stored form is the same text, one entry on a line, in the order in which entries are matched.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ACL_SIZE_MAX, PRINCIPAL_SIZE_MAX } from "../limits.js";

/** All permissions, in the order in which they are written. */
export const PERMISSIONS = "rwcdtTaAo";

/** One entry of an access control list. */
export interface AclEntry {
  /** `OWNER@`, `GROUP@`, `EVERYONE@`, or the name of a user or group with `@` behind it. */
  readonly principal: string;
  /** Whether the principal is a group. */
  readonly isGroup: boolean;
  /** Letters of `rwcdtTaAo`, in this order; none denies. */
  readonly permissions: string;
}

/** An access control list: entries in the order in which they are matched. */
export type Acl = readonly AclEntry[];

const NAME_PATTERN = /^[A-Za-z0-9_.\\][A-Za-z0-9_.\\$-]*@$/;

function malformed(where: string, why: string): DaosError {
  return new DaosError(
    "DER_INVAL",
    {
      what: `Reading an access control list, ${where}`,
      why,
      remedy: "write each entry as A:FLAGS:PRINCIPAL:PERMISSIONS, such as A::alice@:rw",
    },
    { where },
  );
}

/**
 * Checks the name of a user or group with `@` behind it; a name that is a number is a uid or gid.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function checkPrincipalName(what: string, principal: string): void {
  const isSpecial = ["OWNER@", "GROUP@", "EVERYONE@"].includes(principal);
  const fits = principal.length <= PRINCIPAL_SIZE_MAX;
  if (!isSpecial && fits && NAME_PATTERN.test(principal)) return;
  const why = `"${principal}" is not the name of a user or group`;
  const remedy = 'give a name, or a number of the system, with "@" behind it, such as alice@';
  throw new DaosError("DER_INVAL", { what, why, remedy }, { principal });
}

function parsePermissions(text: string, where: string): string {
  for (const [index, letter] of [...text].entries()) {
    if (!PERMISSIONS.includes(letter)) {
      throw malformed(where, `"${letter}" is no permission; there are ${PERMISSIONS}`);
    }
    if (text.indexOf(letter) !== index) throw malformed(where, `"${letter}" is there twice`);
  }
  return [...PERMISSIONS].filter((letter) => text.includes(letter)).join("");
}

function checkPrincipal(principal: string, isGroup: boolean, where: string): void {
  if (principal === "GROUP@") {
    if (!isGroup) throw malformed(where, "GROUP@ needs the flag G: A:G:GROUP@:PERMISSIONS");
    return;
  }
  if (principal === "OWNER@" || principal === "EVERYONE@") {
    if (isGroup) throw malformed(where, `${principal} is no group: leave the flag G out`);
    return;
  }
  if (!principal.endsWith("@")) throw malformed(where, `"${principal}" does not end with @`);
  if (principal.length > PRINCIPAL_SIZE_MAX || !NAME_PATTERN.test(principal)) {
    throw malformed(where, `"${principal}" is not the name of a user or group`);
  }
}

/**
 * Parses one entry.
 *
 * @param where Where it stands, for errors: "line 3".
 * @throws {@link DaosError} `DER_INVAL`, which says where and why.
 */
export function parseAclEntry(text: string, where = "its only entry"): AclEntry {
  const fields = text.split(":");
  if (fields.length !== 4) {
    throw malformed(where, `"${text}" has ${fields.length} fields between colons, not 4`);
  }
  const [type, flags, principal, permissions] = fields as [string, string, string, string];
  if (type !== "A") throw malformed(where, `its type is "${type}"; only A (allow) is there`);
  if (flags !== "" && flags !== "G") {
    throw malformed(where, `its flags are "${flags}"; there is only G (a group)`);
  }
  const isGroup = flags === "G";
  checkPrincipal(principal, isGroup, where);
  return { principal, isGroup, permissions: parsePermissions(permissions, where) };
}

function rankOf({ principal, isGroup }: AclEntry): number {
  if (principal === "OWNER@") return 0;
  if (principal === "EVERYONE@") return 4;
  if (principal === "GROUP@") return 2;
  return isGroup ? 3 : 1;
}

/** Whether two entries are of one principal. */
export function isSamePrincipal(a: AclEntry, b: Omit<AclEntry, "permissions">): boolean {
  return a.principal === b.principal && a.isGroup === b.isGroup;
}

/** Entries in the order in which they are matched. */
export function sortedAcl(acl: Acl): AclEntry[] {
  return [...acl].sort((a, b) => rankOf(a) - rankOf(b));
}

/**
 * Parses a list: entries separated by commas or line ends, with empty lines and `#` comments, as files
 * for `daos` and `dmg` have them.
 *
 * @throws {@link DaosError} `DER_INVAL`: malformed, longer than 64 KiB, or with two entries of one
 *   principal. The text says which line and why.
 *
 * @example
 * ```ts
 * parseAcl("# the team\nA::OWNER@:rwcdtTaAo\nA:G:GROUP@:rw\nA::EVERYONE@:");
 * ```
 */
export function parseAcl(text: string): Acl {
  if (Buffer.byteLength(text) > ACL_SIZE_MAX) throw tooLarge(Buffer.byteLength(text));
  const entries: AclEntry[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim().startsWith("#")) continue;
    for (const part of line.split(",")) {
      const entry = part.trim();
      if (entry === "") continue;
      const where = `line ${index + 1}`;
      const parsed = parseAclEntry(entry, where);
      if (entries.some((known) => isSamePrincipal(known, parsed))) {
        throw malformed(where, `there is an entry of ${parsed.principal} before`);
      }
      entries.push(parsed);
    }
  }
  return sortedAcl(entries);
}

function tooLarge(size: number): DaosError {
  const what = "Storing an access control list";
  const why = `it has ${size} bytes, more than ${ACL_SIZE_MAX}`;
  return new DaosError(
    "DER_INVAL",
    { what, why, remedy: "name groups instead of users" },
    { size },
  );
}

/** One entry as text. */
export function formatAclEntry({ principal, isGroup, permissions }: AclEntry): string {
  return `A:${isGroup ? "G" : ""}:${principal}:${permissions}`;
}

/**
 * A list as text, one entry on a line.
 *
 * @throws {@link DaosError} `DER_INVAL` if it has more than 64 KiB.
 */
export function formatAcl(acl: Acl): string {
  const text = sortedAcl(acl).map(formatAclEntry).join("\n");
  if (Buffer.byteLength(text) > ACL_SIZE_MAX) throw tooLarge(Buffer.byteLength(text));
  return text;
}

/** A list from what a caller gives: text, or entries, which are checked in the same way. */
export function toAcl(given: string | Acl): Acl {
  if (typeof given === "string") return parseAcl(given);
  return parseAcl(given.map(formatAclEntry).join("\n"));
}
