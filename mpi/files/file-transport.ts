/**
 * FileTransport: what a library, or node:fs, does of a file. Arguments are sound.
 *
 * @module
 */

import type { Datatype } from "../datatype/datatype.js";
import type { Message } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import type { Status } from "../messages/status.js";
import type { View } from "./file-calls.js";

/** Accesses by their names in the standard, in the order of the addon's table (mpi-file-access.c). DO NOT REORDER. */
export const FILE_ACCESSES = [
  "read_at",
  "write_at",
  "read_at_all",
  "write_at_all",
  "read",
  "write",
  "read_all",
  "write_all",
  "read_shared",
  "write_shared",
  "read_ordered",
  "write_ordered",
] as const;

/** A kind of access. */
export type FileAccess = (typeof FILE_ACCESSES)[number];

/** What the name of an access says of it. */
export interface AccessTraits {
  /** The standard's name of the blocking call. */
  readonly call: string;
  /** That of the nonblocking one. */
  readonly startCall: string;
  readonly isRead: boolean;
  readonly isCollective: boolean;
  /** Where it begins: at an offset of its own, or where a pointer is. */
  readonly pointer: "explicit" | "individual" | "shared" | "ordered";
  readonly isAtSharedPointer: boolean;
}

function traitsOf(access: FileAccess): AccessTraits {
  const [, where] = /_(at|shared|ordered)/.exec(access) ?? [];
  const pointer = where === "at" ? "explicit" : (where as "shared" | "ordered" | undefined);
  return {
    call: `MPI_File_${access}`,
    startCall: `MPI_File_i${access}`,
    isRead: access.startsWith("read"),
    isCollective: /_all|_ordered/.test(access),
    pointer: pointer ?? "individual",
    isAtSharedPointer: where === "shared" || where === "ordered",
  };
}

/** The traits of each access. */
export const ACCESS_TRAITS = Object.fromEntries(
  FILE_ACCESSES.map((access) => [access, traitsOf(access)]),
) as unknown as Readonly<Record<FileAccess, AccessTraits>>;

/** Hints, checked: keys and values. */
export type Hints = readonly (readonly [key: string, value: string])[];

/** An open file, without the checks. Offsets count elementary types; sizes and displacements bytes. */
export interface FileTransport {
  close(): void;
  setSize(size: number): void;
  preallocate(size: number): void;
  size(): number;
  setInfo(hints: Hints): void;
  info(): Hints;
  setView(view: View, hints: Hints | undefined): void;

  /** The offset counts only in accesses at one. */
  access(access: FileAccess, offset: number, message: Message): Status;
  start(access: FileAccess, offset: number, message: Message): Request;
  begin(access: FileAccess, offset: number, message: Message): void;
  end(access: FileAccess, message: Message): Status;

  seek(offset: number, whence: number, isShared: boolean): void;
  position(isShared: boolean): number;
  byteOffset(offset: number): number;
  typeExtent(datatype: Datatype): number;
  setAtomicity(isAtomic: boolean): void;
  atomicity(): boolean;
  sync(): void;
}
