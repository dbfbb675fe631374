/**
 * Errors of files: the class of what a system call or a library says.
 *
 * @module
 */

import { accessSync, constants, statSync } from "node:fs";
import { MpiError } from "../errors.js";
import { Mode } from "./mode.js";

const CODES: Readonly<Record<string, string>> = {
  EACCES: "MPI_ERR_ACCESS",
  EDQUOT: "MPI_ERR_QUOTA",
  EEXIST: "MPI_ERR_FILE_EXISTS",
  EFBIG: "MPI_ERR_NO_SPACE",
  EISDIR: "MPI_ERR_BAD_FILE",
  ERR_FS_EISDIR: "MPI_ERR_BAD_FILE",
  ELOOP: "MPI_ERR_BAD_FILE",
  ENAMETOOLONG: "MPI_ERR_BAD_FILE",
  ENOENT: "MPI_ERR_NO_SUCH_FILE",
  ENOSPC: "MPI_ERR_NO_SPACE",
  ENOTDIR: "MPI_ERR_BAD_FILE",
  EPERM: "MPI_ERR_ACCESS",
  EROFS: "MPI_ERR_READ_ONLY",
  ETXTBSY: "MPI_ERR_FILE_IN_USE",
};

/** The error class of a system call's code, such as "ENOENT". */
export function codeOfSystemError(code: string): string {
  return CODES[code] ?? "MPI_ERR_IO";
}

/** Classes by which libraries say that something is wrong, and not what. */
const VAGUE = new Set(["MPI_ERR_FILE", "MPI_ERR_IO", "MPI_ERR_OTHER", "MPI_ERR_UNKNOWN"]);

/**
 * The error of opening or deleting a file, by its own class where a library says less.
 *
 * @param amode Mode that it was to be opened with; undefined of a deletion.
 */
export function refinedError(error: unknown, path: string, amode?: number): unknown {
  if (!(error instanceof MpiError) || !VAGUE.has(error.code)) return error;
  const code = reasonOf(path, amode);
  if (code === undefined) return error;
  const { call, errorClass, errorCode, message } = error;
  const why = message.slice(`${call} failed: `.length).replace(/\.$/, "");
  return new MpiError({ code, call, why: `"${path}": ${why}`, errorClass, errorCode });
}

/** What the system says in the texts of libraries, and the class that it is of. */
const TEXTS: readonly (readonly [text: RegExp, code: string])[] = [
  [/No space left on device|File too large/, "MPI_ERR_NO_SPACE"],
  [/Disk quota exceeded/, "MPI_ERR_QUOTA"],
  [/Read-only file system/, "MPI_ERR_READ_ONLY"],
];

/** The error of an access, by its own class where a library only tells it in its text. */
export function refinedAccessError(error: unknown): unknown {
  if (!(error instanceof MpiError) || !VAGUE.has(error.code)) return error;
  const { call, errorClass, errorCode, message } = error;
  const [text, code] = TEXTS.find(([pattern]) => pattern.test(message)) ?? [];
  if (text === undefined || code === undefined) return error;
  const why = text.exec(message)?.[0] ?? code;
  return new MpiError({ code, call, why, errorClass, errorCode, cause: error });
}

/** What keeps a path from being opened, as far as this process can see. */
function reasonOf(path: string, amode: number | undefined): string | undefined {
  try {
    const isDirectory = statSync(path).isDirectory();
    if (amode === undefined) return isDirectory ? "MPI_ERR_BAD_FILE" : undefined;
    const creates = Mode.CREATE | Mode.EXCL;
    if ((amode & creates) === creates) return "MPI_ERR_FILE_EXISTS";
    if (isDirectory) return "MPI_ERR_BAD_FILE";
    const { R_OK, W_OK } = constants;
    accessSync(path, (amode & Mode.WRONLY ? 0 : R_OK) | (amode & Mode.RDONLY ? 0 : W_OK));
    return undefined;
  } catch (error) {
    const code = codeOfSystemError((error as { code?: string }).code ?? "");
    return code === "MPI_ERR_IO" ? undefined : code;
  }
}
