/**
 * Calls of `node:fs/promises`, as data: so that a mounted container and a real directory can be asked the
 * same, and a log of calls can be repeated.
 *
 * A side has the functions and the directory in which paths begin. What it answers is made comparable: paths
 * without that directory, errors as their codes, without what differs by nature (sizes of directories, times
 * that nobody set).
 *
 * @module
 */

import { constants } from "node:fs";
import { posix } from "node:path";

/** What node calls by names of its own, with the POSIX code that it means. */
const NODE_CODES = {
  ERR_FS_EISDIR: "EISDIR",
  ERR_INCOMPATIBLE_OPTION_PAIR: "EINVAL",
  ERR_FS_CP_EEXIST: "EEXIST",
  ERR_FS_CP_EINVAL: "EINVAL",
  ERR_FS_CP_DIR_TO_NON_DIR: "EISDIR",
  ERR_FS_CP_NON_DIR_TO_DIR: "ENOTDIR",
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: "EINVAL",
};

/** Calls that node may leave half done when they fail; a mounted container does nothing then. */
export const HALF_DONE = ["cp", "copyFile"];

const kindOf = (entry) =>
  entry.isFile() ? "file" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() && "link";

const statOf = (stats) => ({
  kind: kindOf(stats),
  mode: (stats.mode & 0o7777).toString(8),
  // Of an absolute link it counts the directory in which paths begin.
  size: stats.isFile() ? stats.size : undefined,
  owner: [stats.uid, stats.gid],
});

const CALLS = {
  readFile: ({ fs, path }, [file]) => fs.readFile(path(file), "utf8"),
  writeFile: ({ fs, path }, [file, text, options]) => fs.writeFile(path(file), text, options),
  appendFile: ({ fs, path }, [file, text]) => fs.appendFile(path(file), text),
  truncate: ({ fs, path }, [file, size]) => fs.truncate(path(file), size),
  open: async ({ fs, path }, [file, flags, text]) => {
    const handle = await fs.open(path(file), flags, 0o640);
    try {
      const { bytesWritten } = await handle.write(text);
      return [bytesWritten, kindOf(await handle.stat())];
    } finally {
      await handle.close();
    }
  },
  mkdir: async (side, [path, options]) => side.text(await side.fs.mkdir(side.path(path), options)),
  mkdtemp: async ({ fs, path }, [prefix]) => {
    const made = await fs.mkdtemp(path(prefix));
    await fs.rmdir(made);
    return [made.startsWith(path(prefix)), made.length - path(prefix).length];
  },
  rmdir: ({ fs, path }, [directory]) => fs.rmdir(path(directory)),
  unlink: ({ fs, path }, [file]) => fs.unlink(path(file)),
  rm: ({ fs, path }, [file, options]) => fs.rm(path(file), options),
  rename: ({ fs, path }, [from, to]) => fs.rename(path(from), path(to)),
  symlink: ({ fs, path }, [target, file]) =>
    fs.symlink(target.startsWith("/") ? path(target.slice(1)) : target, path(file)),
  readlink: async (side, [file]) => side.text(await side.fs.readlink(side.path(file))),
  realpath: async (side, [file]) => side.text(await side.fs.realpath(side.path(file))),
  stat: async ({ fs, path }, [file]) => statOf(await fs.stat(path(file))),
  lstat: async ({ fs, path }, [file]) => statOf(await fs.lstat(path(file))),
  readdir: async ({ fs, path }, [directory]) => (await fs.readdir(path(directory))).sort(),
  readdirTypes: async (side, [directory, recursive]) => {
    const options = { withFileTypes: true, recursive };
    const entries = await side.fs.readdir(side.path(directory), options);
    const text = ({ parentPath, name }) => side.text(`${parentPath}/${name}`.replace(/\/+/g, "/"));
    return entries.map((entry) => `${text(entry)} ${kindOf(entry)}`).sort();
  },
  opendir: async ({ fs, path }, [directory, bufferSize]) => {
    const names = [];
    for await (const { name } of await fs.opendir(path(directory), { bufferSize }))
      names.push(name);
    return names.sort();
  },
  chmod: ({ fs, path }, [file, mode]) => fs.chmod(path(file), mode),
  chown: ({ fs, path }, [file]) => fs.chown(path(file), process.getuid(), process.getgid()),
  lchown: ({ fs, path }, [file]) => fs.lchown(path(file), process.getuid(), process.getgid()),
  utimes: async ({ fs, path }, [file, atime, mtime]) => {
    await fs.utimes(path(file), atime, mtime);
    const { atimeMs, mtimeMs } = await fs.stat(path(file));
    return [atimeMs, mtimeMs];
  },
  lutimes: async ({ fs, path }, [file, atime, mtime]) => {
    await fs.lutimes(path(file), atime, mtime);
    return String((await fs.lstat(path(file), { bigint: true })).mtimeNs);
  },
  access: ({ fs, path }, [file, mode]) => fs.access(path(file), mode),
  copyFile: ({ fs, path }, [from, to, flags]) => fs.copyFile(path(from), path(to), flags),
  cp: ({ fs, path }, [from, to, { skip, ...options }]) => {
    const filter = (source) => skip === undefined || !source.endsWith(`/${skip}`);
    return fs.cp(path(from), path(to), { ...options, filter });
  },
};

/** Names of all calls. */
export const CALL_NAMES = Object.keys(CALLS);

/**
 * One side: functions as those of `node:fs/promises`, and where its paths begin.
 *
 * @param root Of a mounted container "", or a path in it; of a real directory its path.
 */
export function sideOf(fs, root) {
  return {
    fs,
    path: (path) => `${root}/${path}`,
    text: (path) => (path?.startsWith("/") ? posix.relative(root || "/", path) : path),
  };
}

/** Makes a call. @returns `{ value }`, or `{ code }` of the error. */
export async function perform(side, [name, ...args]) {
  try {
    const value = await CALLS[name](side, args);
    return value === undefined ? {} : { value };
  } catch (error) {
    if (typeof error?.code !== "string") throw error;
    return { code: NODE_CODES[error.code] ?? error.code };
  }
}

/** All that is below the root: kinds, modes, contents, targets. */
export async function treeOf(side, below = "") {
  const found = {};
  const entries = await side.fs.readdir(side.path(below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = `${below}${entry.name}`;
    const { mode } = await side.fs.lstat(side.path(path));
    const bits = entry.isSymbolicLink() ? "" : (mode & 0o7777).toString(8);
    if (entry.isDirectory()) {
      found[path] = `directory ${bits}`;
      Object.assign(found, await treeOf(side, `${path}/`));
    } else if (entry.isFile()) {
      found[path] = `file ${bits} ${await side.fs.readFile(side.path(path), "utf8")}`;
    } else found[path] = `link ${side.text(await side.fs.readlink(side.path(path)))}`;
  }
  return found;
}

/** Flags of `open` that calls use, by number. */
export const OPEN_FLAGS = (() => {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
  const { O_NOFOLLOW, O_DIRECTORY } = constants;
  return [
    O_RDONLY,
    O_RDONLY | O_DIRECTORY,
    O_RDWR | O_NOFOLLOW,
    O_WRONLY,
    O_WRONLY | O_CREAT,
    O_RDWR | O_CREAT | O_TRUNC,
    O_RDWR | O_CREAT | O_EXCL,
    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW,
    O_WRONLY | O_TRUNC,
    O_RDONLY | O_CREAT,
  ];
})();
