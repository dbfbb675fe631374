/**
 * A tree of real files.
 *
 * A file is written under a temporary name beside its own, then renamed: it appears as a whole. The name
 * holds the process id, so that what a killed copy left is known by its dead process and removed by the
 * next one that comes by.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { DaosError, dataRanges, setTimes } from "../../../core/index.js";
import { moveContent } from "./content.js";
import type {
  ByteRange,
  Content,
  FileJob,
  TargetTree,
  TreeEntry,
  WrittenListener,
} from "./tree.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;
const TEMPORARY = /^\.daos-copy\.(\d+)\.\d+$/;
const PERMISSIONS = 0o7777;

function kindOf(stats: fs.BigIntStats): TreeEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "special";
}

function entryOf(name: string, stats: fs.BigIntStats): TreeEntry {
  const kind = kindOf(stats);
  return {
    name,
    kind,
    size: kind === "file" ? Number(stats.size) : 0,
    mode: Number(stats.mode) & PERMISSIONS,
    modified: stats.mtimeNs,
  };
}

/** An open real file. */
class RealContent implements Content {
  readonly size: number;
  readonly #fd: number;
  readonly #modified: bigint;

  constructor(file: string) {
    // Between listing and opening, somebody may have put a link or a pipe there.
    this.#fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stats = fs.fstatSync(this.#fd, { bigint: true });
    this.size = Number(stats.size);
    this.#modified = stats.mtimeNs;
  }

  ranges(): Iterable<ByteRange> {
    return dataRanges(this.#fd, this.size);
  }

  read(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = fs.readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) throw new Error(`the file ended at byte ${position + done}`);
      done += count;
    }
  }

  changed(): string | undefined {
    const { size, mtimeNs } = fs.fstatSync(this.#fd, { bigint: true });
    if (Number(size) !== this.size) return `it had ${this.size} bytes and has ${size}`;
    return mtimeNs === this.#modified ? undefined : "it was written to";
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

/** Real files below a directory. */
export class RealTree implements TargetTree {
  readonly #root: string;
  readonly #listener: WrittenListener;
  #temporaries = 0;

  /**
   * @param root Absolute path.
   * @param listener Told of written files.
   */
  constructor(root: string, listener: WrittenListener = () => undefined) {
    this.#root = root;
    this.#listener = listener;
  }

  display(below: string): string {
    return below === "" ? this.#root : path.join(this.#root, below);
  }

  entry(below: string): TreeEntry | undefined {
    const file = this.display(below);
    const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
    return stats && entryOf(path.basename(file), stats);
  }

  list(below: string): TreeEntry[] {
    const directory = this.display(below);
    const found: TreeEntry[] = [];
    for (const bytes of fs.readdirSync(directory, { encoding: "buffer" })) {
      const name = bytes.toString();
      if (!Buffer.from(name).equals(bytes)) {
        const shown = `0x${bytes.toString("hex")}`;
        const nothing = { size: 0, mode: undefined, modified: undefined };
        found.push({ name: shown, kind: "invalid", ...nothing });
        continue;
      }
      if (TEMPORARY.test(name)) {
        this.#sweep(directory, name);
        continue;
      }
      const file = path.join(directory, name);
      const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
      // What was removed since the directory was read is not there.
      if (stats !== undefined) found.push(entryOf(name, stats));
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Removes what a killed copy left. */
  #sweep(directory: string, name: string): void {
    const pid = TEMPORARY.exec(name)?.[1];
    if (!fs.existsSync(`/proc/${pid}`)) fs.rmSync(path.join(directory, name), { force: true });
  }

  open(below: string): Content {
    return new RealContent(this.display(below));
  }

  makeDirectory(below: string): void {
    fs.mkdirSync(this.display(below), { recursive: below === "" });
  }

  putFile({ path: below, entry, content }: FileJob, advance: (bytes: number) => void): void {
    const file = this.display(below);
    this.#temporaries += 1;
    const name = `.daos-copy.${process.pid}.${this.#temporaries}`;
    const temporary = path.join(path.dirname(file), name);
    const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      const written = moveContent(below, content, (bytes, position) => {
        for (let done = 0; done < bytes.length; ) {
          done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
        }
        advance(bytes.length);
      });
      fs.ftruncateSync(fd, content.size);
      if (entry.mode !== undefined) fs.fchmodSync(fd, entry.mode);
      requireUnchanged(content, file);
      setModified(temporary, entry);
      fs.renameSync(temporary, file);
      this.#listener(below, written);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  }

  flush(): void {
    // Each file is there already.
  }

  finishDirectory(below: string, entry: TreeEntry): void {
    const directory = this.display(below);
    if (entry.mode !== undefined) fs.chmodSync(directory, entry.mode);
    setModified(directory, entry);
  }
}

function setModified(file: string, { modified }: TreeEntry): void {
  if (modified !== undefined) setTimes(file, { accessed: modified, modified });
}

/** @throws {@link DaosError} `DER_TX_RESTART` if a source was changed while it was read. */
export function requireUnchanged(content: Content, target: string): void {
  const why = content.changed();
  if (why === undefined) return;
  const what = `Copying to ${target}`;
  const remedy = "copy it again when nobody writes to it";
  throw new DaosError("DER_TX_RESTART", { what, why: `the source changed: ${why}`, remedy });
}
