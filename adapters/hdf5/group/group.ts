/**
 * A group: names that lead to groups, datasets and committed datatypes.
 *
 * A group is a directory of the namespace, a dataset a file in it that has a header. What has none is
 * no part of the HDF5 file, and does not show here.
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../../core/index.js";
import { notFound } from "../../dfs/index.js";
import { Attributes } from "../attributes/attributes.js";
import { CommittedType } from "../committed-type.js";
import { type DatasetOptions, planDataset } from "../dataset/creation.js";
import { Dataset } from "../dataset/dataset.js";
import { describeVirtual, type VirtualLayout, type VirtualOptions } from "../dataset/virtual.js";
import { type DType, datatypeOf } from "../datatype/names.js";
import type { Hdf5Source } from "../description.js";
import { join, namesOf, type Resolved, resolveParent, resolvePath } from "../paths.js";
import { wholeRegion } from "../selection/space-selection.js";
import type { Session } from "../session.js";
import { moveLink, removeLink, type StoredLink } from "../storage/links.js";
import { oidOfReference, readHeader } from "../storage/objects.js";
import { openStored, StoredGroup } from "../storage/stored-group.js";
import { sessionSource } from "../store-source.js";
import type { DTypeOf } from "../values/elements.js";
import { encodeElements } from "../values/encode.js";
import { Reference } from "../values/references.js";
import { type CopyGroupOptions, copyObject } from "./copying.js";
import { ExternalLink, type Link, linkOf, SoftLink } from "./link-classes.js";
import { checkRequired, type RequireOptions } from "./require.js";
import { isInside, visitLinks, visitObjects } from "./visiting.js";

/** What a path leads to. */
export type Hdf5Object = Group | Dataset | CommittedType;

/** What a new group is. */
export interface GroupOptions {
  /** Whether names and attributes are listed in the order in which they were made. */
  readonly trackOrder?: boolean;
}

const TRACKED = { isTracked: true, isIndexed: true } as const;

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

  /** A reference to the group, which elements and attributes can hold. */
  get ref(): Reference {
    return new Reference(this.stored.reference());
  }

  /** A path from this group, or with a leading slash from the file's root, as a name in the file. */
  #nameOf(path: string): string {
    const names = namesOf(path).join("/");
    return path.startsWith("/") || names === "" ? `/${names}` : join(this.name, names);
  }

  /** Opens what was found. @internal */
  protected open(found: Resolved): Hdf5Object | undefined {
    const { session, oid, name } = found;
    const object = openStored(session, found, name);
    if (object === undefined) return undefined;
    if (object instanceof StoredGroup) return new Group(session, { name, oid });
    if ("description" in object) return new Dataset(object);
    const header = readHeader(session, oid, name);
    return header?.kind === "datatype" ? new CommittedType(object, header.type) : undefined;
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
   * Names in this group, in the order of creation if that is tracked, else of their bytes.
   *
   * @throws `DaosError` `DER_NO_HDL`.
   */
  async keys(): Promise<string[]> {
    this.session.state(`Listing group "${this.name}"`);
    return this.stored.links().map(({ name }) => name);
  }

  /** Number of names. */
  async size(): Promise<number> {
    return (await this.keys()).length;
  }

  /** What the names lead to, in the order of {@link keys}; `undefined` for a link that leads nowhere. */
  async values(): Promise<(Hdf5Object | undefined)[]> {
    return (await this.entries()).map(([, object]) => object);
  }

  /** Names and what they lead to, in the order of {@link keys}. */
  async entries(): Promise<[string, Hdf5Object | undefined][]> {
    const names = await this.keys();
    return Promise.all(
      names.map(async (name): Promise<[string, Hdf5Object | undefined]> => {
        const found = resolvePath(this.#here, name);
        return [name, found && this.open(found)];
      }),
    );
  }

  /** Iterates over the names. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    yield* await this.keys();
  }

  /**
   * The object of a path, or `undefined`.
   *
   * @param path Names separated by `/`; with a leading slash, from the file's root. Or a reference. An empty one
   *   leads nowhere.
   * @throws `DaosError` `DER_INVAL` for links that lead in a circle, `DER_NO_HDL`.
   */
  async get(path: string | Reference): Promise<Hdf5Object | undefined> {
    const found = path instanceof Reference ? this.#referred(path) : resolvePath(this.#here, path);
    return path === "" || found === undefined ? undefined : this.open(found);
  }

  #referred({ object }: Reference): Resolved | undefined {
    const { session } = this;
    session.state("Following a reference");
    const oid = oidOfReference(session, object);
    if (oid === undefined) return undefined;
    const name = `#${object}`;
    if (oid === session.root) return { session, oid, isGroup: true, name: "/" };
    const header = readHeader(session, oid, name);
    const isGroup = header === undefined || header.kind === "group";
    return { session, oid, isGroup, name };
  }

  /** Whether there is such a name, as {@link keys} has it: also of a link that leads nowhere. */
  async has(path: string): Promise<boolean> {
    this.session.state(`Looking for "${String(path)}"`);
    const isLink = (await this.getLink(path)) !== undefined;
    return isLink || (namesOf(path).length === 0 && path !== "");
  }

  /** The link of a path, which is not followed; `undefined` if there is none. */
  async getLink(path: string): Promise<Link | undefined> {
    const place = resolveParent(this.#here, path);
    const link =
      place && new StoredGroup(place.parent.session, place.parent.oid, "").find(place.name);
    return link && linkOf(link);
  }

  /**
   * Creates a group, and the groups that lead to it.
   *
   * @throws `DaosError` `DER_EXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for a path below a
   *   dataset.
   */
  async createGroup(path: string, { trackOrder = false }: GroupOptions = {}): Promise<Group> {
    const what = `Creating group "${this.#nameOf(path)}"`;
    this.session.change(what);
    const { parent, name } = this.#parentOf(path, what);
    const order = trackOrder ? { linkOrder: TRACKED, attributeOrder: TRACKED } : {};
    const { oid, name: full } = parent.createGroup(name, order);
    return new Group(parent.session, { name: full, oid });
  }

  /**
   * The group of a path; creates it if there is none.
   *
   * @throws `DaosError` as {@link createGroup}; `DER_EXIST` if the path leads to something else.
   */
  async requireGroup(path: string, options: GroupOptions = {}): Promise<Group> {
    const known = await this.get(path);
    if (known === undefined) return this.createGroup(path, options);
    if (known instanceof Group) return known;
    const text = {
      what: `Requiring group "${this.#nameOf(path)}"`,
      why: "there is something else",
      remedy: "choose another path",
    };
    throw new DaosError("DER_EXIST", text, { name: known.name });
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
   * const log = await file.createDataset("log", {
   *   shape: [0], maxShape: [null], dtype: "string", compression: "gzip",
   * });
   * ```
   */
  async createDataset<D extends DType>(
    path: string,
    options: DatasetOptions<D> & { readonly dtype: D | CommittedType },
  ): Promise<Dataset<D>>;
  async createDataset<T extends DatasetOptions["data"]>(
    path: string,
    options: DatasetOptions & { readonly data: T; readonly dtype?: undefined },
  ): Promise<Dataset<DTypeOf<T>>>;
  async createDataset(path: string, options: DatasetOptions): Promise<Dataset>;
  async createDataset(path: string, options: DatasetOptions): Promise<Dataset> {
    const full = this.#nameOf(path);
    const what = `Creating dataset "${full}"`;
    this.session.change(what);
    const { description, given } = planDataset(full, options);
    const elements = given && encodeElements(description.type, given.elements);
    const { parent, name } = this.#parentOf(path, what);
    const attributeOrder = options.trackOrder === true ? TRACKED : undefined;
    const isFilled = elements !== undefined && elements.bytes.length > 0;
    const stored = parent.createDataset(name, description, { attributeOrder, isFilled });
    // All ranks give the same elements: one writes them.
    if (isFilled && parent.session.leads) {
      await stored.writeRegion(wholeRegion(stored.extents), elements);
    }
    return new Dataset(stored);
  }

  /**
   * The dataset of a path; creates it if there is none.
   *
   * @param options As for {@link createDataset}; `exact`: whether its type must be the same, and not only one to
   *   which that which is asked for converts without loss.
   * @throws `DaosError` as {@link createDataset}; `DER_INVAL` if there is something else, or one of
   *   another shape or type.
   */
  async requireDataset<D extends DType>(
    path: string,
    options: RequireOptions<D>,
  ): Promise<Dataset<D>> {
    const known = await this.get(path);
    if (known === undefined) {
      return (await this.createDataset(
        path,
        options as unknown as DatasetOptions,
      )) as unknown as Dataset<D>;
    }
    checkRequired(this.#nameOf(path), known, options as unknown as RequireOptions);
    return known as unknown as Dataset<D>;
  }

  /**
   * Creates a dataset like another one: of its type, shape, chunks, filters and fill value, but for what is given.
   *
   * @throws `DaosError` as {@link createDataset}.
   */
  async createDatasetLike(
    path: string,
    other: Dataset,
    overrides: DatasetOptions = {},
  ): Promise<Dataset> {
    const { header } = other.stored;
    const hasOwnShape = overrides.shape !== undefined || overrides.maxShape !== undefined;
    const isChunked = other.chunks !== undefined && other.ndim > 0;
    const likeness: DatasetOptions = {
      shape: other.isNull ? null : other.shape,
      dtype: other.type,
      ...(isChunked ? { chunks: other.chunks, filters: other.filters } : {}),
      ...(isChunked && !hasOwnShape ? { maxShape: other.maxShape } : {}),
      fillValue: other.fillValue() ?? null,
      trackOrder: header.attributeOrder.isTracked,
    };
    return this.createDataset(path, { ...likeness, ...overrides });
  }

  /**
   * Creates a dataset whose elements are those of other datasets.
   *
   * @throws `DaosError` as {@link createDataset}; `DER_INVAL` if sources do not fit their places.
   *
   * @example
   * ```ts
   * const layout = new VirtualLayout({ shape: [4, 100], dtype: "int32" });
   * for (let n = 0; n < 4; n++) layout.set([n], new VirtualSource(`run${n}.h5`, "data", [100]));
   * const all = await file.createVirtualDataset("all", layout, { fillValue: -1 });
   * ```
   */
  async createVirtualDataset(
    path: string,
    layout: VirtualLayout,
    options: VirtualOptions = {},
  ): Promise<Dataset> {
    const full = this.#nameOf(path);
    const what = `Creating dataset "${full}"`;
    this.session.change(what);
    const description = describeVirtual(full, layout, options);
    const { parent, name } = this.#parentOf(path, what);
    return new Dataset(parent.createDataset(name, description));
  }

  /**
   * Gives a datatype a name, and the groups that lead to it.
   *
   * @throws `DaosError` `DER_EXIST`, `DER_INVAL`, `DER_NO_PERM`, `DER_NO_HDL`.
   */
  async createDatatype(path: string, dtype: DType): Promise<CommittedType> {
    const what = `Committing datatype "${this.#nameOf(path)}"`;
    this.session.change(what);
    const type = datatypeOf(dtype);
    const { parent, name } = this.#parentOf(path, what);
    return new CommittedType(parent.createDatatype(name, type), type);
  }

  /**
   * Makes a link: another name of an object of the file, or one that leads to a path.
   *
   * @throws `DaosError` `DER_EXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for an object of another file.
   */
  async link(path: string, target: Hdf5Object | SoftLink | ExternalLink): Promise<void> {
    const what = `Creating link "${this.#nameOf(path)}"`;
    this.session.change(what);
    const object =
      target instanceof SoftLink || target instanceof ExternalLink ? undefined : target.stored;
    if (object !== undefined && object.session !== this.session) {
      const text = { what, why: "the object is in another file", remedy: "use an ExternalLink" };
      throw new DaosError("DER_INVAL", text, { name: object.name });
    }
    const { parent, name } = this.#parentOf(path, what);
    if (object !== undefined) parent.link(name, { kind: "hard", object });
    else if (target instanceof SoftLink) parent.link(name, { kind: "soft", path: target.path });
    else {
      const { filename, path: inside } = target as ExternalLink;
      parent.link(name, { kind: "external", file: filename, path: inside });
    }
  }

  #requireLink(path: string, what: string): { group: StoredGroup; link: StoredLink } {
    const full = this.#nameOf(path);
    if (namesOf(path).length === 0) {
      const text = {
        what: `${what} "${full}"`,
        why: "it is the group itself",
        remedy: "name one in it",
      };
      throw new DaosError("DER_INVAL", text, { name: full });
    }
    const place = resolveParent(this.#here, path);
    const group =
      place && new StoredGroup(place.parent.session, place.parent.oid, place.parent.name);
    const link = group?.find(place?.name ?? "");
    if (group === undefined || link === undefined) throw notFound(full, what);
    return { group, link };
  }

  /**
   * Removes a link, and with its last one the object: a dataset, or a group with all in it.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for the root.
   */
  async delete(path: string): Promise<void> {
    this.session.change(`Removing "${this.#nameOf(path)}"`);
    const { group, link } = this.#requireLink(path, "Removing");
    removeLink(group.session, group.oid, link);
  }

  /**
   * Gives a link another name, or another group; groups that lead to it are created.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_EXIST`, `DER_NO_PERM`, `DER_NO_HDL`; `DER_INVAL` for a group that
   *   would lie in itself.
   */
  async move(path: string, target: string): Promise<void> {
    const what = `Moving "${this.#nameOf(path)}"`;
    this.session.change(what);
    const { group, link } = this.#requireLink(path, "Moving");
    if (this.#nameOf(path) === this.#nameOf(target)) return;
    const { parent, name } = this.#parentOf(target, what);
    if (link.target.kind === "hard" && isInside(parent, link.target.oid)) {
      const text = { what, why: "the group would lie in itself", remedy: "choose another place" };
      throw new DaosError("DER_INVAL", text, { name: target });
    }
    moveLink(this.session, { group: group.oid, link }, { group: parent.oid, name });
  }

  /**
   * Copies an object, with all below it.
   *
   * @param source The object, of any file, or its path.
   * @param target Path of the copy; or a group, which it goes into under its own name.
   * @throws `DaosError` `DER_NONEXIST`, `DER_EXIST`, `DER_NO_PERM`, `DER_NO_HDL`.
   *
   * @example
   * ```ts
   * await file.copy("fields", "backup/fields");
   * await file.copy(otherFile, file, { name: "other" });
   * ```
   */
  async copy(
    source: string | Hdf5Object,
    target: string | Group,
    options: CopyGroupOptions = {},
  ): Promise<void> {
    const from = typeof source === "string" ? await this.get(source) : source;
    if (from === undefined) throw notFound(this.#nameOf(source as string), "Copying");
    const group = typeof target === "string" ? this : target;
    const own = options.name ?? namesOf(from.name).at(-1) ?? "";
    const path = typeof target === "string" ? target : own;
    const what = `Copying "${from.name}" to "${group.#nameOf(path)}"`;
    group.session.change(what);
    const { parent, name } = group.#parentOf(path, what);
    if (parent.find(name) !== undefined) {
      const text = { what, why: "the name is taken", remedy: "choose another name" };
      throw new DaosError("DER_EXIST", text, { name });
    }
    await copyObject(
      { object: from.stored, isGroup: from instanceof Group },
      parent,
      name,
      options,
    );
  }

  /**
   * Calls a function with the name, from this group, of everything below it; an object with several names is
   * visited once, links to paths are not followed.
   *
   * @returns The first result that is not `undefined`; nothing more is visited then.
   */
  async visit<T>(visitor: (name: string) => T | Promise<T>): Promise<T | undefined> {
    return this.visitItems((name) => visitor(name));
  }

  /** As {@link visit}, with the object. */
  async visitItems<T>(
    visitor: (name: string, object: Hdf5Object) => T | Promise<T>,
  ): Promise<T | undefined> {
    const { session } = this;
    return visitObjects(this.stored, async (name, target) => {
      const object = this.open({ session, ...target, name: join(this.name, name) });
      return object && (await visitor(name, object));
    });
  }

  /** Calls a function with the name of every link below this group; links to paths are not followed. */
  async visitLinks<T>(visitor: (name: string) => T | Promise<T>): Promise<T | undefined> {
    return this.visitItemsLinks((name) => visitor(name));
  }

  /** As {@link visitLinks}, with the link. */
  async visitItemsLinks<T>(
    visitor: (name: string, link: Link) => T | Promise<T>,
  ): Promise<T | undefined> {
    return visitLinks(this.stored, async (name, link) => visitor(name, linkOf(link)));
  }

  /** The file as a source, for export and comparison; it is closed with the file. @internal */
  source(): Hdf5Source {
    return sessionSource(this.session);
  }
}
