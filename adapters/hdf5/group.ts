/**
 * A group: names that lead to groups and datasets.
 *
 * A group is a directory of the namespace, a dataset a file in it that has a header. What has none is
 * no part of the HDF5 file, and does not show here.
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../core/index.js";
import { notFound } from "../dfs/index.js";
import { Attributes } from "./attributes.js";
import { Dataset } from "./dataset.js";
import type { DatasetDescription, Hdf5Source } from "./description.js";
import {
  bytesOf,
  type DType,
  datatypeOf,
  dtypeOf,
  dtypeOfDatatype,
  itemSizeOf,
  type TypedArrayOf,
} from "./dtype.js";
import { RANK_MAX } from "./messages/dataspace-message.js";
import { join, namesOf, type Resolved, resolveParent, resolvePath } from "./paths.js";
import { boxRegion } from "./region.js";
import type { Session } from "./session.js";
import { removeLink } from "./storage/links.js";
import { DEFAULT_FILL } from "./storage/object-format.js";
import type { StoredDataset } from "./storage/stored-dataset.js";
import { openStored, StoredGroup } from "./storage/stored-group.js";
import { sessionSource } from "./store-source.js";

/** What a new dataset is. */
export interface DatasetOptions<D extends DType> {
  /** Extent along each dimension, slowest first; empty for a single element. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: D;
  /** First content, in row-major order; zeros by default. */
  readonly data?: TypedArrayOf<D>;
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

  get #here(): Resolved {
    return { session: this.session, oid: this.#oid, isGroup: true, name: this.name };
  }

  /** The group as the store has it: for import and export. @internal */
  get stored(): StoredGroup {
    return new StoredGroup(this.session, this.#oid, this.name);
  }

  /** A path from this group, or with a leading slash from the file's root, as a name in the file. */
  #nameOf(path: string): string {
    const names = namesOf(path).join("/");
    return path.startsWith("/") || names === "" ? `/${names}` : join(this.name, names);
  }

  #open(found: Resolved): Group | Dataset | undefined {
    const { session, oid, name } = found;
    const object = openStored(session, found, name);
    if (object instanceof StoredGroup) return new Group(session, { name, oid });
    if (object === undefined || !("description" in object)) return undefined;
    const dtype = dtypeOfDatatype(object.description.type);
    return dtype && new Dataset(object, dtype);
  }

  /** The group that a new object goes to; those that lead to it are created. */
  #parentOf(path: string, what: string): { parent: StoredGroup; name: string } {
    const names = namesOf(path);
    const name = names.pop();
    let at = path.startsWith("/")
      ? new StoredGroup(this.session, this.session.root, "/")
      : this.stored;
    if (name === undefined) {
      const text = { what, why: "it is the group itself", remedy: "give it a name" };
      throw new DaosError("DER_EXIST", text, { name: path });
    }
    for (const above of names) {
      const found = resolvePath(
        { session: at.session, oid: at.oid, isGroup: true, name: at.name },
        above,
      );
      if (found === undefined) at = at.createGroup(above);
      else if (found.isGroup) at = new StoredGroup(found.session, found.oid, found.name);
      else {
        const text = { what, why: `"${found.name}" is no group`, remedy: "choose another path" };
        throw new DaosError("DER_INVAL", text, { name: found.name });
      }
    }
    return { parent: at, name };
  }

  /**
   * Names of the groups and datasets in this group, in the order of their bytes.
   *
   * @throws `DaosError` `DER_NO_HDL`.
   */
  async keys(): Promise<string[]> {
    this.session.state(`Listing group "${this.name}"`);
    return this.stored.links().map(({ name }) => name);
  }

  /**
   * The group or dataset of a path, or `undefined`.
   *
   * @param path Names separated by `/`; with a leading slash, from the file's root.
   * @throws `DaosError` `DER_INVAL` for `.` and `..`, `DER_DF_INVAL`, `DER_NO_HDL`.
   */
  async get(path: string): Promise<Group | Dataset | undefined> {
    const found = resolvePath(this.#here, path);
    return found && this.#open(found);
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
    const what = `Creating group "${this.#nameOf(path)}"`;
    this.session.change(what);
    const { parent, name } = this.#parentOf(path, what);
    const { oid, name: full } = parent.createGroup(name);
    return new Group(parent.session, { name: full, oid });
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
    const what = `Creating dataset "${this.#nameOf(path)}"`;
    this.session.change(what);
    checkOptions(this.#nameOf(path), options);
    const { parent, name } = this.#parentOf(path, what);
    const { dtype, data } = options;
    const stored = parent.createDataset(name, describe(options));
    const dataset = new Dataset(stored, dtype);
    if (data !== undefined && data.length > 0)
      await stored.writeStored(whole(stored), bytesOf(data));
    return dataset;
  }

  /**
   * Removes a dataset, or a group with all in it.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for the root.
   */
  async delete(path: string): Promise<void> {
    const full = this.#nameOf(path);
    this.session.change(`Removing "${full}"`);
    const place = resolveParent(this.#here, path);
    if (namesOf(path).length === 0) {
      const text = { what: 'Removing "/"', why: "it is the root", remedy: "remove the file" };
      throw new DaosError("DER_INVAL", text, { name: full });
    }
    const group =
      place && new StoredGroup(place.parent.session, place.parent.oid, place.parent.name);
    const link = group?.find(place?.name ?? "");
    if (group === undefined || link === undefined) throw notFound(full, "Removing");
    removeLink(group.session, group.oid, link);
  }

  /** The file as a source, for export and comparison; it is closed with the file. @internal */
  source(): Hdf5Source {
    return sessionSource(this.session);
  }
}

/** All of a dataset. */
function whole(stored: StoredDataset) {
  return boxRegion({ start: stored.extents.map(() => 0), shape: stored.extents });
}

function describe({ shape, dtype }: DatasetOptions<DType>): DatasetDescription {
  const space =
    shape.length === 0
      ? ({ kind: "scalar" } as const)
      : ({ kind: "simple", shape: [...shape], maxShape: [...shape] } as const);
  const layout = { kind: "contiguous" } as const;
  const type = datatypeOf(dtype);
  return { type, committedType: undefined, space, layout, filters: [], fill: DEFAULT_FILL };
}

/** Checks what a new dataset shall be. */
function checkOptions<D extends DType>(name: string, options: DatasetOptions<D>): void {
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
}
