/**
 * Walks a source, and writes its objects: each once, however many links lead to it.
 *
 * @module
 */

import type { Datatype } from "../datatype/datatype.js";
import type {
  CreationOrder,
  FillDescription,
  LayoutDescription,
  SourceDataset,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "../description.js";
import { encodeDataspace } from "../messages/dataspace-message.js";
import { encodeDatatype } from "../messages/datatype-message.js";
import { FieldWriter } from "../messages/field-codec.js";
import { encodeFill } from "../messages/fill-message.js";
import { encodeFilters } from "../messages/filter-message.js";
import { encodeTypeMessage, writeAttributes } from "./attributes.js";
import { writeLayout } from "./dataset-layout.js";
import { ElementSource } from "./element-source.js";
import { type TargetLink, writeLinks } from "./links.js";
import { MESSAGE, type Message, writeObjectHeader } from "./object-header.js";
import type { WriteContext } from "./write-context.js";

const NO_ORDER: CreationOrder = { isTracked: false, isIndexed: false };

/** What HDF5 makes of the default allocation. */
const ALLOCATIONS = {
  compact: "early",
  contiguous: "late",
  external: "late",
  chunked: "incremental",
  virtual: "incremental",
} as const satisfies Record<LayoutDescription["kind"], FillDescription["allocation"]>;

/** Writes the objects of a source. */
export class ObjectWriter {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  /** Writes all objects, and returns the address of the root. */
  async writeAll(root: SourceGroup): Promise<number> {
    const { objects } = this.#context;
    objects.entry(root.id).count++;
    await this.#write(root, "/");
    // Objects and datatypes that are referred to or used, and that have no name.
    for (;;) {
      const pending = objects.nextPending();
      const type = pending === undefined ? objects.nextType() : undefined;
      if (pending !== undefined) await this.#write(pending, `an object without a name`);
      else if (type !== undefined) this.#writeType(...type);
      else return objects.addressOf(root.id);
    }
  }

  async #write(object: SourceObject, path: string): Promise<void> {
    const { objects } = this.#context;
    await this.#context.advance(0);
    const entry = objects.start(object.id);
    entry.hasOrder = object.attributeOrder.isTracked;
    const messages = await this.#describe(object, path);
    messages.push(...(await this.#attributes(object, path)));
    if (object.comment !== undefined) {
      const body = new FieldWriter(64).cString(object.comment).finish();
      messages.push({ type: MESSAGE.comment, body });
    }
    const { attributeOrder } = object;
    const stub = entry.isReserved ? entry.address : undefined;
    const options = { messages, attributeOrder, stub, path };
    const { address, count } = writeObjectHeader(this.#context.target, options);
    entry.address = address;
    entry.place = count;
  }

  async #attributes(object: SourceObject, path: string): Promise<Message[]> {
    const { messages, count } = await writeAttributes(this.#context, object, path);
    this.#context.counts.attributes += count;
    return messages;
  }

  async #describe(object: SourceObject, path: string): Promise<Message[]> {
    switch (object.kind) {
      case "group":
        this.#context.counts.groups++;
        return this.#group(object, path);
      case "dataset":
        this.#context.counts.datasets++;
        return this.#dataset(object, path);
      case "datatype":
        this.#context.counts.datatypes++;
        return [typeMessage(object.type)];
    }
  }

  /** A committed datatype of which only its users are known. */
  #writeType(id: string, type: Datatype): void {
    const entry = this.#context.objects.start(id);
    this.#context.counts.datatypes++;
    const path = "a datatype without a name";
    const stub = entry.isReserved ? entry.address : undefined;
    const options = { messages: [typeMessage(type)], attributeOrder: NO_ORDER, stub, path };
    const { address, count } = writeObjectHeader(this.#context.target, options);
    entry.address = address;
    entry.place = count;
  }

  async #group(group: SourceGroup, path: string): Promise<Message[]> {
    const links: TargetLink[] = [];
    for await (const link of group.links()) {
      this.#context.counts.links++;
      links.push(link.kind === "hard" ? await this.#hardLink(link, path) : link);
    }
    return writeLinks(this.#context.target, links, group.linkOrder);
  }

  async #hardLink(
    link: Extract<SourceLink, { kind: "hard" }>,
    parent: string,
  ): Promise<TargetLink> {
    const { objects } = this.#context;
    const { name, nameCharset } = link;
    const object = await link.open();
    const entry = objects.entry(object.id);
    entry.count++;
    if (!entry.isStarted)
      await this.#write(object, parent === "/" ? `/${name}` : `${parent}/${name}`);
    return { name, nameCharset, kind: "hard", address: objects.addressOf(object.id) };
  }

  async #dataset(dataset: SourceDataset, path: string): Promise<Message[]> {
    const context = this.#context;
    const { type, committedType, space, filters } = dataset.description;
    const layout = await writeLayout({ context, dataset, path });
    const messages: Message[] = [
      { type: MESSAGE.dataspace, body: encodeDataspace(space) },
      {
        type: MESSAGE.datatype,
        body: encodeTypeMessage(context, type, committedType),
        isConstant: true,
        isShared: committedType !== undefined,
      },
      { type: MESSAGE.fill, body: await this.#fill(dataset, path), isConstant: true },
      ...layout,
    ];
    if (filters.length > 0) {
      messages.push({ type: MESSAGE.filters, body: encodeFilters(filters), isConstant: true });
    }
    return messages;
  }

  async #fill(dataset: SourceDataset, path: string): Promise<Uint8Array> {
    const { fill, layout } = dataset.description;
    const { time, value } = fill;
    const allocation = fill.allocation === "default" ? ALLOCATIONS[layout.kind] : fill.allocation;
    if (value === null || value === undefined)
      return encodeFill({ allocation, time, bytes: value });
    const elements = new ElementSource(this.#context, dataset, path);
    return encodeFill({ allocation, time, bytes: await elements.convert(value) });
  }
}

function typeMessage(type: Datatype): Message {
  return { type: MESSAGE.datatype, body: encodeDatatype(type), isConstant: true };
}
