/**
 * A group: names that lead to groups and datasets.
 *
 * A group is a directory of the namespace, a dataset a file in it that has a header. What has none is
 * no part of the HDF5 file, and does not show here.
 *
 * @module
 */

import { DaosError, isDaosError, type ObjectId, Pattern } from "../../core/index.js";
import {
  create,
  type Inode,
  listDirectory,
  lookup,
  notFound,
  remove,
  splitPath,
} from "../dfs/index.js";
import { Attributes } from "./attributes.js";
import { Dataset } from "./dataset.js";
import { bytesOf, type DType, dtypeOf, itemSizeOf, type TypedArrayOf } from "./dtype.js";
import {
  decodeHeader,
  encodeHeader,
  HEADER_AKEY,
  HEADER_DKEY,
  type ObjectHeader,
  RANK_MAX,
} from "./object-format.js";
import type { Session } from "./session.js";

/** What a new dataset is. */
export interface DatasetOptions<D extends DType> {
  /** Extent along each dimension, slowest first; empty for a single element. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: D;
  /** First content, in row-major order; zeros by default. */
  readonly data?: TypedArrayOf<D>;
}

/** The header of an object, if it has one. */
export function readHeader(
  session: Session,
  oid: ObjectId,
  name: string,
): ObjectHeader | undefined {
  const value = session.get(oid, HEADER_DKEY, HEADER_AKEY);
  return value && decodeHeader(value, name);
}

/** Gives an object its header. */
export function writeHeader(session: Session, oid: ObjectId, header: ObjectHeader): void {
  session.put({ oid, dkey: HEADER_DKEY, akey: HEADER_AKEY, value: encodeHeader(header) });
}

/** A group of an open file. */
export class Group {
  /** Name in the file, from its root: `/fields`; `/` for the root. */
  readonly name: string;
  /** The group's attributes. */
  readonly attrs: Attributes;
  /** @internal */
  protected readonly session: Session;
  readonly #oid: ObjectId;

  /** @internal */
  constructor(session: Session, { name, oid }: { name: string; oid: ObjectId }) {
    this.name = name;
    this.attrs = new Attributes(session, oid);
    this.session = session;
    this.#oid = oid;
  }

  /** A path from this group, or with a leading slash from the file's root, as a name in the file. */
  #nameOf(path: string): string {
    return `/${splitPath(path.startsWith("/") ? path : `${this.name}/${path}`).join("/")}`;
  }

  /** The path in the container of a name in the file. */
  #pathOf(name: string): string {
    return `${this.session.path}${name}`;
  }

  #lookup(name: string, what: string): Inode | undefined {
    const state = this.session.state(`${what} "${name}"`);
    try {
      return lookup(state, this.#pathOf(name));
    } catch (error) {
      // A name below a dataset does not exist, as any other.
      if (isDaosError(error) && error.facts.posix === "ENOTDIR") return undefined;
      throw error;
    }
  }

  #open(name: string, inode: Inode): Group | Dataset | undefined {
    const { kind, oid } = inode;
    if (kind === "directory") return new Group(this.session, { name, oid });
    const header = readHeader(this.session, oid, name);
    if (header?.kind !== "dataset") return undefined;
    return new Dataset(this.session, { ...header, name, oid });
  }

  /**
   * Names of the groups and datasets in this group, in the order of their bytes.
   *
   * @throws `DaosError` `DER_NO_HDL`.
   */
  async keys(): Promise<string[]> {
    const state = this.session.state(`Listing group "${this.name}"`);
    const entries = listDirectory(state, this.#oid);
    const isPart = ({ name, inode }: { name: string; inode: Inode }) =>
      inode.kind === "directory" || readHeader(this.session, inode.oid, name)?.kind === "dataset";
    return entries.filter(isPart).map(({ name }) => name);
  }

  /**
   * The group or dataset of a path, or `undefined`.
   *
   * @param path Names separated by `/`; with a leading slash, from the file's root.
   * @throws `DaosError` `DER_INVAL` for `.` and `..`, `DER_DF_INVAL`, `DER_NO_HDL`.
   */
  async get(path: string): Promise<Group | Dataset | undefined> {
    const name = this.#nameOf(path);
    const inode = this.#lookup(name, "Opening");
    return inode && this.#open(name, inode);
  }

  /** Whether a path leads to a group or dataset. */
  async has(path: string): Promise<boolean> {
    return (await this.get(path)) !== undefined;
  }

  /**
   * Creates a group, and the groups that lead to it.
   *
   * @throws `DaosError` `DER_EXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for a path below a
   *   dataset.
   */
  async createGroup(path: string): Promise<Group> {
    const name = this.#nameOf(path);
    const state = this.session.change(`Creating group "${name}"`);
    const options = { path: this.#pathOf(name), kind: "directory" } as const;
    return new Group(this.session, {
      name,
      oid: create(this.session.container, state, options).oid,
    });
  }

  /**
   * The group of a path; creates it if there is none.
   *
   * @throws `DaosError` as {@link createGroup}; `DER_EXIST` if the path leads to something else.
   */
  async requireGroup(path: string): Promise<Group> {
    const known = await this.get(path);
    return known instanceof Group ? known : this.createGroup(path);
  }

  /**
   * Creates a dataset, and the groups that lead to it.
   *
   * @throws `DaosError` `DER_EXIST`; `DER_INVAL` for a shape, type or data that do not fit, or a
   *   path below a dataset; `DER_NO_PERM`, `DER_NO_HDL`. `DER_NOSPACE` or `DER_IO`: all changes since the
   *   last flush are dropped.
   *
   * @example
   * ```ts
   * const u = await file.createDataset("fields/u", { shape: [96, 96, 96], dtype: "float64" });
   * await u.write(plane, [0]); // a Float64Array of 96 * 96 elements
   * ```
   */
  async createDataset<D extends DType>(
    path: string,
    options: DatasetOptions<D>,
  ): Promise<Dataset<D>> {
    const name = this.#nameOf(path);
    const state = this.session.change(`Creating dataset "${name}"`);
    const { dtype, data } = options;
    const shape = [...options.shape];
    const size = checkOptions(name, options);
    const file = { path: this.#pathOf(name), kind: "file" } as const;
    const { oid } = create(this.session.container, state, file);
    writeHeader(this.session, oid, { kind: "dataset", dtype, shape });
    const dataset = new Dataset(this.session, { name, oid, dtype, shape });
    if (size > 0) {
      // Zeros need not be written; the last one is, so that the file has its size for other readers.
      const bytes = data === undefined ? new Uint8Array(itemSizeOf(dtype)) : bytesOf(data);
      const pattern = Pattern.contiguous(size - bytes.length, size);
      this.session.write(oid, pattern, bytes, 0n);
    }
    return dataset;
  }

  /**
   * Removes a dataset, or a group with all in it.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for the root.
   */
  async delete(path: string): Promise<void> {
    const name = this.#nameOf(path);
    const state = this.session.change(`Removing "${name}"`);
    if (name === "/") {
      const text = { what: 'Removing "/"', why: "it is the root", remedy: "remove the file" };
      throw new DaosError("DER_INVAL", text, { name });
    }
    const inode = this.#lookup(name, "Removing");
    if (inode === undefined || this.#open(name, inode) === undefined) {
      throw notFound(name, "Removing");
    }
    remove(state, this.#pathOf(name), { recursive: true });
  }
}

/** Checks what a new dataset shall be; returns the bytes of its elements. */
function checkOptions<D extends DType>(name: string, options: DatasetOptions<D>): number {
  const { shape, dtype, data } = options;
  const itemSize = itemSizeOf(dtype);
  const fail = (why: string, remedy: string) =>
    new DaosError("DER_INVAL", { what: `Creating dataset "${name}"`, why, remedy }, { name });
  const count = shape.reduce((product, extent) => product * extent, 1);
  const isShape = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  if (!isShape || shape.length > RANK_MAX || !Number.isSafeInteger(count * itemSize)) {
    const why = `[${shape.join(", ")}] is not a shape`;
    throw fail(why, `give whole extents, of at most ${RANK_MAX} dimensions`);
  }
  if (data !== undefined && dtypeOf(data) !== dtype) {
    const why = `the data are ${dtypeOf(data) ?? "of no known type"}, not ${dtype}`;
    throw fail(why, "convert the data first; nothing is converted silently");
  }
  if (data !== undefined && data.length !== count) {
    throw fail(`${data.length} elements were given for ${count}`, "give as many as the shape has");
  }
  return count * itemSize;
}
