/**
 * Objects of an `.h5` file, as {@link SourceObject}s: what their headers say, decoded when they are
 * opened.
 *
 * @module
 */

import type { Datatype } from "../datatype/datatype.js";
import type {
  CreationOrder,
  DatasetDescription,
  Dataspace,
  FillDescription,
  FilterDescription,
  LayoutDescription,
  SourceAttribute,
  SourceDataset,
  SourceDatatype,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "../description.js";
import { decodeDataspace } from "../messages/dataspace-message.js";
import { decodeDatatype } from "../messages/datatype-message.js";
import { decodeFill } from "../messages/fill-message.js";
import { decodeFilters } from "../messages/filter-message.js";
import type { AttributeReader, AttributeRecord } from "./attribute-messages.js";
import { DatasetReader } from "./dataset-reader.js";
import { type ElementReader, requireSameSizes } from "./elements.js";
import { Fields, type H5Format } from "./format.js";
import type { GlobalHeap } from "./global-heap.js";
import { decodeLayout, type StoredLayout } from "./layout-message.js";
import {
  decodeLink,
  decodeLinkInfo,
  denseLinks,
  type LinkRecord,
  orderLinks,
  symbolTableLinks,
} from "./links.js";
import { LocalHeap } from "./local-heap.js";
import { MESSAGE, type ObjectHeader, readObjectHeader } from "./object-header.js";
import type { ResolvedMessage, SharedMessages } from "./shared-messages.js";
import { decodeVirtualMappings } from "./virtual-mappings.js";
import type { LibraryReader } from "./wasm/library-reader.js";

/** What all objects of a file share. */
export interface H5Context {
  readonly format: H5Format;
  readonly shared: SharedMessages;
  readonly attributes: AttributeReader;
  readonly heap: GlobalHeap;
  readonly elements: ElementReader;
  readonly library: LibraryReader;
  readonly chunkSizeMax: number | undefined;
}

const NO_ORDER: CreationOrder = { isTracked: false, isIndexed: false };

/** An object whose header was read. */
class OpenObject {
  readonly context: H5Context;
  readonly header: ObjectHeader;
  readonly path: string;
  readonly what: string;

  constructor(context: H5Context, address: number, path: string) {
    this.context = context;
    this.path = path;
    this.what = `"${path}" of ${context.format.bytes.path}`;
    this.header = readObjectHeader(context.format, address, this.what);
  }

  /** The body of the message of a type, if there is one. */
  message(type: number): ResolvedMessage | undefined {
    const found = this.header.messages.find((message) => message.type === type);
    return found && this.context.shared.resolve(found, this.what);
  }

  fields(body: Uint8Array): Fields {
    return new Fields(body, this.what, this.context.format);
  }

  /** A message that must be there. */
  required(type: number, name: string): ResolvedMessage {
    const found = this.message(type);
    if (found !== undefined) return found;
    throw this.fields(new Uint8Array(0)).malformed(`it has no ${name}`);
  }

  /** What all kinds of objects have. */
  base() {
    const comment = this.message(MESSAGE.comment);
    const { address, attributeOrder } = this.header;
    return {
      id: String(address),
      reference: BigInt(address),
      attributeOrder,
      comment: comment === undefined ? undefined : this.fields(comment.body).cString(),
      attributes: () => this.attributes(),
    };
  }

  async *attributes(): AsyncGenerator<SourceAttribute> {
    const { attributes } = this.context;
    for (const record of attributes.list(this.header, this.what)) yield this.#attribute(record);
  }

  #attribute(record: AttributeRecord): SourceAttribute {
    const { name, nameCharset, type, committed, space, bytes } = record;
    const { elements, format } = this.context;
    const what = `attribute "${name}" of ${this.what}`;
    return {
      ...{ name, nameCharset, type, space },
      committedType: committed === undefined ? undefined : String(committed),
      async read() {
        requireSameSizes(format, type, what);
        return elements.fetch(type, Uint8Array.from(bytes), { what });
      },
    };
  }
}

/**
 * Opens the object at an address.
 *
 * @param path Path that led to it, for errors and for libhdf5.
 * @throws `DaosError` `DER_DF_INVAL`; `DER_NOSYS` for what is not read.
 */
export function openObject(context: H5Context, address: number, path: string): SourceObject {
  const object = new OpenObject(context, address, path);
  const has = (type: number) => object.header.messages.some((message) => message.type === type);
  if (has(MESSAGE.layout)) return datasetOf(object);
  if (has(MESSAGE.symbolTable) || has(MESSAGE.linkInfo)) return groupOf(object);
  if (has(MESSAGE.datatype)) return datatypeOf(object);
  throw object.fields(new Uint8Array(0)).malformed("it is neither group, dataset nor datatype");
}

function groupOf(object: OpenObject): SourceGroup {
  const info = object.message(MESSAGE.linkInfo);
  const linkInfo = info && decodeLinkInfo(object.fields(info.body));
  const linkOrder = linkInfo?.order ?? NO_ORDER;
  return {
    kind: "group",
    ...object.base(),
    linkOrder,
    async *links(): AsyncGenerator<SourceLink> {
      if (linkInfo !== undefined) {
        const found = [
          ...headerLinks(object),
          ...denseLinks(object.context.format, linkInfo, object.what),
        ];
        for (const link of orderLinks(found, linkOrder)) yield sourceLink(object, link);
        return;
      }
      const { body } = object.required(MESSAGE.symbolTable, "symbol table");
      for (const link of symbolTableLinks(
        object.context.format,
        object.fields(body),
        object.what,
      )) {
        yield sourceLink(object, link);
      }
    },
  };
}

function* headerLinks(object: OpenObject): Generator<LinkRecord> {
  const { shared } = object.context;
  for (const message of object.header.messages) {
    if (message.type !== MESSAGE.link) continue;
    yield decodeLink(object.fields(shared.resolve(message, object.what).body));
  }
}

function sourceLink({ context, path }: OpenObject, link: LinkRecord): SourceLink {
  if (link.kind !== "hard") {
    const { order: _, ...rest } = link;
    return rest;
  }
  const { name, nameCharset, address } = link;
  const target = path === "/" ? `/${name}` : `${path}/${name}`;
  const open = async () => openObject(context, address, target);
  return { name, nameCharset, kind: "hard", open };
}

function datatypeOf(object: OpenObject): SourceDatatype {
  const { body } = object.required(MESSAGE.datatype, "datatype");
  return { kind: "datatype", ...object.base(), type: decodeDatatype(body, object.what) };
}

function datasetOf(object: OpenObject): SourceDataset {
  const { context, path, what } = object;
  const { format } = context;
  const { body, committed } = object.required(MESSAGE.datatype, "datatype");
  const type = decodeDatatype(body, what);
  requireSameSizes(format, type, what);
  const space = decodeDataspace(
    object.fields(object.required(MESSAGE.dataspace, "dataspace").body),
    what,
    format.lengthSize,
  );
  const layout = decodeLayout(object.fields(object.required(MESSAGE.layout, "layout").body));
  const { fill, fillBytes } = readFill(object, type, layout);
  const description: DatasetDescription = {
    type,
    committedType: committed === undefined ? undefined : String(committed),
    space,
    layout: describeLayout(object, layout, space),
    filters: readFilters(object),
    fill,
  };
  const reader = new DatasetReader({
    ...{ format, elements: context.elements, library: context.library, description, layout },
    ...{ fill: fillBytes, path, what, chunkSizeMax: context.chunkSizeMax },
  });
  return {
    kind: "dataset",
    ...object.base(),
    description,
    read: (box, memory) => reader.read(box, memory),
    storedChunks: (memory) => reader.storedChunks(memory),
    get storedSize() {
      return reader.storedSize();
    },
  };
}

function readFilters(object: OpenObject): FilterDescription[] {
  const found = object.message(MESSAGE.filters);
  return found === undefined ? [] : decodeFilters(found.body, object.what);
}

/** When HDF5 allocates the space of layouts that say nothing of it. */
const USUAL_ALLOCATIONS = {
  compact: "early",
  contiguous: "late",
  chunked: "incremental",
  virtual: "incremental",
} as const;

function readFill(
  object: OpenObject,
  type: Datatype,
  layout: StoredLayout,
): { fill: FillDescription; fillBytes: Uint8Array | undefined } {
  const message = object.message(MESSAGE.fill);
  const { allocation, time, bytes } =
    message === undefined
      ? { ...readOldFill(object), allocation: USUAL_ALLOCATIONS[layout.kind] }
      : decodeFill(message.body, object.what);
  if (bytes === undefined || bytes === null) {
    return { fill: { allocation, time, value: bytes }, fillBytes: undefined };
  }
  const { elements } = object.context;
  const value = elements.fetch(type, Uint8Array.from(bytes), { what: object.what });
  return { fill: { allocation, time, value }, fillBytes: bytes };
}

/** What files of HDF5 before 1.6 say. */
function readOldFill(object: OpenObject): { time: "ifset"; bytes: Uint8Array | null } {
  const message = object.message(MESSAGE.oldFill);
  if (message === undefined) return { time: "ifset", bytes: null };
  const fields = object.fields(message.body);
  const size = fields.u32();
  return { time: "ifset", bytes: size === 0 ? null : Uint8Array.from(fields.raw(size)) };
}

function describeLayout(
  object: OpenObject,
  layout: StoredLayout,
  space: Dataspace,
): LayoutDescription {
  switch (layout.kind) {
    case "compact":
      return { kind: "compact" };
    case "contiguous": {
      const external = object.message(MESSAGE.externalFiles);
      if (external === undefined) return { kind: "contiguous" };
      return { kind: "external", files: readExternalFiles(object, external.body) };
    }
    case "chunked": {
      const rank = space.kind === "simple" ? space.shape.length : 0;
      if (layout.chunkShape.length === rank) {
        return { kind: "chunked", chunkShape: layout.chunkShape };
      }
      throw object.fields(new Uint8Array(0)).malformed("its chunks have another rank than it has");
    }
    case "virtual": {
      const { format, heap } = object.context;
      if (layout.heap === undefined) return { kind: "virtual", mappings: [] };
      const bytes = heap.get(layout.heap, layout.item, object.what);
      return { kind: "virtual", mappings: decodeVirtualMappings(bytes, format, object.what) };
    }
  }
}

function readExternalFiles(object: OpenObject, body: Uint8Array) {
  const { format } = object.context;
  const fields = object.fields(body);
  fields.version("list of external files", 1);
  const count = fields.skip(5).u16();
  const heap = new LocalHeap(format, fields.presentAddress(), object.what);
  const unlimited = BigInt.asUintN(8 * format.lengthSize, -1n);
  return Array.from({ length: count }, () => {
    const name = heap.text(fields.size());
    const offset = fields.size();
    const size = fields.uint(format.lengthSize);
    if (size === unlimited || size === 0n) return { name, offset, size: null };
    return { name, offset, size: Number(size) };
  });
}
