/**
 * Attributes of what a path leads to: permission bits, owner, times, and who may do what.
 *
 * @module
 */

import { constants } from "node:fs";
import { putInode } from "./directory.js";
import { type FileCall, refusal } from "./errors.js";
import type { Inode } from "./inode-format.js";
import { withTimes } from "./inode-times.js";
import type { Mount } from "./mount.js";
import { findPlace } from "./place.js";
import { nanoseconds, nowNs, type TimeLike } from "./time-like.js";

const ID_MAX = 0xffff_ffff;
const { R_OK, W_OK, X_OK } = constants;

/** A call about what a path leads to. */
export interface AttributeCall extends FileCall {
  /** Whether a symbolic link at the end is followed. */
  readonly follow: boolean;
}

/** Permission bits of a number, or of text in octal. @throws `EINVAL`. */
export function modeBits(call: FileCall, mode: unknown): number {
  const bits = typeof mode === "string" && /^[0-7]+$/.test(mode) ? Number.parseInt(mode, 8) : mode;
  if (Number.isInteger(bits) && (bits as number) >= 0 && (bits as number) <= ID_MAX) {
    return (bits as number) & 0o7777;
  }
  const why = `${String(mode)} is no mode`;
  throw refusal(call, { posix: "EINVAL", why, remedy: "give bits such as 0o644" });
}

/** Refuses what is no user or group. @throws `EINVAL`. */
export function checkOwner(call: FileCall, ...ids: readonly unknown[]): void {
  for (const id of ids) {
    if (Number.isInteger(id) && (id as number) >= -1 && (id as number) <= ID_MAX) continue;
    const why = `${String(id)} is no user or group`;
    throw refusal(call, { posix: "EINVAL", why, remedy: "give ids, or -1 to leave them" });
  }
}

/** An inode with another owner; -1 leaves it. */
export function withOwner(inode: Inode, uid: number, gid: number): Inode {
  return { ...inode, uid: uid === -1 ? inode.uid : uid, gid: gid === -1 ? inode.gid : gid };
}

/** Times as nanoseconds. @throws `EINVAL`. */
export function checkedTimes(call: FileCall, atime: TimeLike, mtime: TimeLike) {
  const [accessed, modified] = [atime, mtime].map((time) => {
    const at = nanoseconds(time);
    if (at !== undefined) return at;
    const why = `${String(time)} is no time`;
    throw refusal(call, { posix: "EINVAL", why, remedy: "give seconds since 1970, or a Date" });
  }) as [bigint, bigint];
  return { accessed, modified };
}

function changeInode(
  mount: Mount,
  call: AttributeCall,
  change: (inode: Inode, view: Parameters<typeof withTimes>[1]) => Inode,
): void {
  mount.change(call, (state) => {
    const { inode, ...place } = findPlace(state, call.path, call.what, call);
    putInode(state.own, place, { ...change(inode, state.view), changed: nowNs() });
  });
}

/** See `Dfs.chmod`. */
export function changeMode(mount: Mount, call: AttributeCall, mode: number | string): void {
  const bits = modeBits(call, mode);
  changeInode(mount, call, (inode) => ({ ...inode, mode: bits }));
}

/** See `Dfs.chown`. */
export function changeOwner(mount: Mount, call: AttributeCall, uid: number, gid: number): void {
  checkOwner(call, uid, gid);
  changeInode(mount, call, (inode) => withOwner(inode, uid, gid));
}

/** See `Dfs.utimes`. */
export function changeTimes(
  mount: Mount,
  call: AttributeCall,
  { atime, mtime }: { atime: TimeLike; mtime: TimeLike },
): void {
  const times = checkedTimes(call, atime, mtime);
  changeInode(mount, call, (inode, view) => withTimes(inode, view, times));
}

/** The permission bits that count for this process, as the lowest three. */
function bitsForCaller({ mode, uid, gid }: Inode): number {
  const user = process.geteuid?.() ?? 0;
  if (user === uid) return mode >> 6;
  const groups = [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])];
  return groups.includes(gid) ? mode >> 3 : mode;
}

/** See `Dfs.access`. */
export function checkAccess(mount: Mount, call: FileCall, mode: number): void {
  if (!Number.isInteger(mode) || mode < 0 || mode > (R_OK | W_OK | X_OK)) {
    const why = `${String(mode)} asks for nothing that is known`;
    const remedy = "join constants R_OK, W_OK and X_OK of node:fs";
    throw refusal(call, { posix: "EINVAL", why, remedy });
  }
  const inode = mount.read(call, (view) => findPlace({ view }, call.path, call.what).inode);
  if ((mode & W_OK) !== 0) mount.requireWritable(call);
  const isRoot = (process.geteuid?.() ?? 0) === 0;
  const isExecutable = inode.kind === "directory" || (inode.mode & 0o111) !== 0;
  const allowed = isRoot ? R_OK | W_OK | (isExecutable ? X_OK : 0) : bitsForCaller(inode);
  if ((mode & ~allowed) === 0) return;
  const why = "its permission bits do not allow that to this user";
  const remedy = "ask its owner, or change them with chmod()";
  throw refusal(call, { posix: "EACCES", code: "DER_NO_PERM", why, remedy });
}
