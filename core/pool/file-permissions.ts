/**
 * Permissions of a pool's files that match its access control list.
 *
 *     directories   the bits of modeOfAcl: rwx where anything may be changed, r-x where something may be read
 *     files         the same without x; new ones take those of the index, see `Device.matchAccess`
 *
 * A right of the list is worth nothing to a user who cannot open the files, and who has no right should not be
 * able to read them beside the library. Named users and groups have no bits: give those an entry of the file
 * system's own (`setfacl`).
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { modeOfAcl } from "../access/acl.js";
import { numberOf } from "../access/identity.js";
import { DaosError, systemCode } from "../errors.js";
import type { AdministeredOrigin } from "./administered.js";
import type { Access, PoolAccess } from "./pool-access.js";

const TIERS = ["scm", "nvme"] as const;
const EXECUTION_BITS = 0o111;
const GROUP_BITS = 0o070;

/**
 * Refuses a user whose changes of owner, group or list could not reach the files.
 *
 * @throws {@link DaosError} `DER_NO_PERM`.
 */
function requireFileOwner(directory: string, what: string): void {
  const user = process.geteuid?.() ?? 0;
  const { uid } = fs.statSync(directory);
  if (user === 0 || user === uid) return;
  const why = "its files belong to another user, and their permissions must match the list";
  const remedy = "let the owner of the files, or root, change it";
  throw new DaosError("DER_NO_PERM", { what, why, remedy }, { path: directory, uid });
}

/**
 * Gives the directories and files of a pool the permissions that match its list, and its owner and group as far
 * as the process may. Segments that others made are theirs: they are out of reach behind their directory.
 */
function matchFilesToAccess(directory: string, access: Access): void {
  const isRoot = process.geteuid?.() === 0;
  const uid = isRoot ? numberOf("user", access.ownership.owner) : undefined;
  const gid = numberOf("group", access.ownership.group);
  const match = { mode: modeOfAcl(access.acl), uid, gid };
  const tiers = TIERS.map((tier) => path.join(directory, tier));
  // The way in first: where rights are taken away, nobody opens a file meanwhile.
  for (const entry of [directory, ...tiers]) matchEntry(entry, match);
  for (const entry of [directory, ...tiers]) {
    for (const found of fs.readdirSync(entry, { withFileTypes: true })) {
      const name = path.join(entry, found.name);
      if (found.isFile()) matchEntry(name, { ...match, mode: match.mode & ~EXECUTION_BITS });
    }
  }
}

/** How the files of a pool follow its list. */
export function filesOf(
  directory: string,
  access: PoolAccess,
): NonNullable<AdministeredOrigin["files"]> {
  return {
    require: (what) => requireFileOwner(directory, what),
    // A list that was never stored is the permissions' own.
    match: () => access.hasOwnAcl() && matchFilesToAccess(directory, access.ofPool()),
  };
}

interface Match {
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

function matchEntry(name: string, { mode, uid, gid }: Match): void {
  try {
    const stats = fs.statSync(name);
    const isOther = gid !== undefined && gid !== stats.gid;
    const isMatched = !isOther || changeGroup(name, gid);
    // Another group than the pool's is nobody that the list speaks of.
    fs.chmodSync(name, isMatched ? mode : mode & ~GROUP_BITS);
    if (uid !== undefined && uid !== stats.uid) fs.chownSync(name, uid, gid ?? stats.gid);
  } catch (error) {
    const code = systemCode(error);
    // Removed meanwhile, or another user's.
    if (code !== "ENOENT" && code !== "EPERM") throw error;
  }
}

/** Whether the process may give a file this group. */
function changeGroup(name: string, gid: number): boolean {
  try {
    fs.chownSync(name, -1, gid);
    return true;
  } catch (error) {
    if (systemCode(error) === "EPERM") return false;
    throw error;
  }
}
