/**
 * Who uses a pool: names of the user and the groups that the process belongs to, as the system knows them.
 *
 *     uid, gids ─▶ os.userInfo(), /etc/group, `id -nG` ─▶ "alice@", ["staff@", ...]
 *
 * A user or group that has no name is known by its number. An embedded pool believes the system: the
 * files' permissions are what protects them from programs that do not use this library.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";

/** Who uses a pool. */
export interface Identity {
  /** Name of the user, with or without `@` behind it. */
  readonly user: string;
  /** Names of the groups that the user belongs to. */
  readonly groups: readonly string[];
  /**
   * Whether this is an administrator, who may do everything, as `dmg` may in DAOS. The superuser of the
   * system is one.
   */
  readonly isAdministrator?: boolean;
}

/** Numbers of a user, which match principals that are numbers. */
export interface KnownIdentity extends Identity {
  /** Number of the user, or `undefined` if the identity was given. */
  readonly uid?: number;
  /** Numbers of the groups. */
  readonly gids?: readonly number[];
}

interface Entries {
  /** Which file it was, and when it was changed last. */
  readonly version: string;
  readonly entries: readonly string[][];
}

/** What the files held when they were read last: every pool that is opened asks for names. */
const readBefore = new Map<string, Entries>();

/** The lines of a file of users or groups, split at colons; none if it cannot be read. */
function entriesOf(file: string): readonly string[][] {
  try {
    const { ino, size, ctimeNs } = fs.statSync(file, { bigint: true });
    const version = `${ino} ${size} ${ctimeNs}`;
    const before = readBefore.get(file);
    if (before?.version === version) return before.entries;
    const lines = fs.readFileSync(file, "utf8").split("\n");
    const entries = lines.map((line) => line.split(":")).filter((fields) => fields.length >= 3);
    readBefore.set(file, { version, entries });
    return entries;
  } catch {
    return [];
  }
}

/** Name of a user with `@` behind it; the number if it has no name. */
export function userNameOf(uid: number): string {
  const found = entriesOf("/etc/passwd").find((fields) => Number(fields[2]) === uid);
  return `${found?.[0] ?? uid}@`;
}

/** Name of a group with `@` behind it; the number if it has no name. */
export function groupNameOf(gid: number): string {
  const found = entriesOf("/etc/group").find((fields) => Number(fields[2]) === gid);
  return `${found?.[0] ?? gid}@`;
}

/** Number of a user or group that the system's files know, or `undefined`. */
export function numberOf(kind: "user" | "group", principal: string): number | undefined {
  const name = principal.replace(/@$/, "");
  if (/^\d+$/.test(name)) return Number(name);
  const file = kind === "user" ? "/etc/passwd" : "/etc/group";
  const found = entriesOf(file).find((fields) => fields[0] === name);
  return found === undefined ? undefined : Number(found[2]);
}

function ownName(uid: number): string {
  try {
    return `${os.userInfo().username}@`;
  } catch {
    // A user without an entry, as in many containers of the other kind.
    return `${uid}@`;
  }
}

function ownGroups(gids: readonly number[]): string[] {
  const names = gids.map(groupNameOf);
  if (names.every((name) => !/^\d+@$/.test(name))) return names;
  // Groups of a directory service are not in the file; `id` asks it.
  const { status, stdout } = spawnSync("id", ["-nG"], { encoding: "utf8", timeout: 5000 });
  const found = status === 0 ? stdout.trim().split(/\s+/) : [];
  return [...new Set([...names, ...found.filter(Boolean).map((name) => `${name}@`)])];
}

let known: { key: string; identity: KnownIdentity } | undefined;

/** The user that this process runs as. */
export function currentIdentity(): KnownIdentity {
  const uid = process.geteuid?.() ?? -1;
  const gid = process.getegid?.() ?? -1;
  const gids = [...new Set([gid, ...(process.getgroups?.() ?? [])])];
  // A process may become another user.
  const key = `${uid}/${gids}`;
  if (known?.key !== key) {
    const isAdministrator = uid === 0;
    const names = { user: ownName(uid), groups: ownGroups(gids) };
    known = { key, identity: { ...names, uid, gids, isAdministrator } };
  }
  return known.identity;
}

/** A name with `@` behind it. */
export function withAt(name: string): string {
  return name.endsWith("@") ? name : `${name}@`;
}

/** Whether a principal of an access control list is this user. */
export function isUser(identity: KnownIdentity, principal: string): boolean {
  if (withAt(identity.user) === principal) return true;
  return identity.uid !== undefined && `${identity.uid}@` === principal;
}

/** Whether this user belongs to a group. */
export function isMember(identity: KnownIdentity, principal: string): boolean {
  if (identity.groups.some((group) => withAt(group) === principal)) return true;
  return identity.gids?.some((gid) => `${gid}@` === principal) === true;
}
