/**
 * A file of a container, seen as any HDF5 file is seen: for export, comparison and listing.
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import type {
  Hdf5Source,
  SourceAttribute,
  SourceDataset,
  SourceDatatype,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "./description.js";
import { join, type Resolved, resolvePath } from "./paths.js";
import type { Session } from "./session.js";
import { countOf } from "./storage/attribute-format.js";
import { type DatatypeHeader, PLAIN_GROUP } from "./storage/object-format.js";
import { oidOfReference, readHeader, readUserBlock, referenceOf } from "./storage/objects.js";
import { listAttributes } from "./storage/stored-attributes.js";
import { StoredDataset } from "./storage/stored-dataset.js";
import { StoredGroup } from "./storage/stored-group.js";

/** What all kinds of objects show. */
function facts(session: Session, oid: ObjectId) {
  return {
    id: oid.toString(),
    reference: referenceOf(oid),
    async *attributes(): AsyncGenerator<SourceAttribute> {
      for (const attribute of listAttributes(session, oid)) {
        const { name, nameCharset, type, committedType, space, elements } = attribute;
        yield { name, nameCharset, type, committedType, space, read: async () => elements };
      }
    },
  };
}

function datasetSource(dataset: StoredDataset): SourceDataset {
  const { attributeOrder, comment } = dataset.header;
  const { description } = dataset;
  return {
    kind: "dataset",
    ...facts(dataset.session, dataset.oid),
    attributeOrder,
    comment,
    description,
    read: (box, memory) => dataset.read(box, memory),
    storedChunks: () => dataset.storedChunks(),
    get storedSize() {
      if (description.layout.kind === "virtual") return undefined;
      if (dataset.header.storage !== "chunks") return countOf(description.space) * dataset.itemSize;
      const { chunks } = dataset;
      let size = 0;
      for (const index of chunks.indices()) size += chunks.storedSize(index);
      return size;
    },
  };
}

function datatypeSource(
  session: Session,
  oid: ObjectId,
  { type, attributeOrder, comment }: DatatypeHeader,
): SourceDatatype {
  return { kind: "datatype", ...facts(session, oid), attributeOrder, comment, type };
}

function groupSource(group: StoredGroup): SourceGroup {
  const { session, oid, name } = group;
  const header = readHeader(session, oid, name) ?? PLAIN_GROUP;
  const { linkOrder } = header.kind === "group" || header.kind === "file" ? header : PLAIN_GROUP;
  const { attributeOrder, comment } = header;
  return {
    kind: "group",
    ...facts(session, oid),
    attributeOrder,
    comment,
    linkOrder,
    async *links(): AsyncGenerator<SourceLink> {
      for (const { name: linkName, nameCharset, target } of group.links()) {
        const common = { name: linkName, nameCharset };
        if (target.kind === "user") {
          yield { ...common, ...target };
          continue;
        }
        if (target.kind !== "hard") {
          yield { ...common, ...target, follow: async () => followed(group, linkName) };
          continue;
        }
        const path = join(name, linkName);
        const found = sourceOf(session, target, path);
        // What a program removed behind the file's back leads nowhere.
        if (found !== undefined) yield { ...common, kind: "hard", open: async () => found() };
      }
    },
  };
}

/** What a link of a group leads to, through others if need be. */
function followed(group: StoredGroup, link: string): SourceObject | undefined {
  const { session, oid, name } = group;
  const found = resolvePath({ session, oid, isGroup: true, name }, link);
  return found && sourceOf(found.session, found, found.name)?.();
}

/** An object by its place, as sources show it. */
export function sourceAt({ session, oid, isGroup, name }: Resolved): SourceObject | undefined {
  return sourceOf(session, { oid, isGroup }, name)?.();
}

/** How an object is opened, if it exists. */
function sourceOf(
  session: Session,
  { oid, isGroup }: { readonly oid: ObjectId; readonly isGroup: boolean },
  path: string,
): (() => SourceObject) | undefined {
  if (isGroup) return () => groupSource(new StoredGroup(session, oid, path));
  const header = readHeader(session, oid, path);
  if (header?.kind === "dataset") {
    return () => datasetSource(new StoredDataset({ session, oid, name: path }, header));
  }
  return header?.kind === "datatype" ? () => datatypeSource(session, oid, header) : undefined;
}

/** The session's file as a source; it stays open when the source is closed. */
export function sessionSource(session: Session): Hdf5Source {
  return {
    name: session.path,
    userBlock: readUserBlock(session),
    root: async () => groupSource(new StoredGroup(session, session.root, "/")),
    resolve: async (reference) => {
      const oid = oidOfReference(session, reference);
      if (oid === undefined) return undefined;
      const header = oid === session.root ? PLAIN_GROUP : readHeader(session, oid, "a reference");
      const { view, own } = session.state("Following a reference");
      const isGroup =
        header === undefined ? view.exists(oid, undefined, own) : header.kind === "group";
      return sourceOf(session, { oid, isGroup }, `#${reference}`)?.();
    },
    close: async () => {},
  };
}

/** What has a session: a file, or a group of it. */
interface OfSession {
  /** Its source. */
  source(): Hdf5Source;
}

/**
 * An open file as a source: what export, comparison and listing read. It shows what the file shows, its own
 * changes too, and ends with it.
 */
export function storeSource(file: OfSession): Hdf5Source {
  return file.source();
}
