/**
 * Reads a part of a table: only the buffers of the columns that are asked for.
 *
 * A buffer that lies in one piece is handed out as it is mapped; one that does not is copied.
 *
 * @module
 */

import { type Data, type Schema, Vector } from "apache-arrow";
import type { DictionaryBatch, RecordBatch } from "apache-arrow/ipc/metadata/message";
import type { ContainerView, ObjectId } from "../../../core/index.js";
import { type Codec, compressionOf, decompressBuffer, loadCodec } from "../ipc/compression.js";
import { decodedLayout, storedLayout } from "../ipc/layout.js";
import { Loader, type LoadSource } from "../ipc/load.js";
import { decodeMessage, decodeSchema, PREFIX_SIZE } from "../ipc/messages.js";
import {
  type BatchEntry,
  type Block,
  decodeContents,
  PART_AKEY,
  type PartContents,
  TABLE_DKEY,
} from "./table-format.js";

/** Where the schema's message begins in a file. */
const SCHEMA_START = 8;
const WHAT = "Reading a part of a table";

/** Schemas by their bytes: most parts of a table share one. */
const schemas = new Map<string, Schema>();
const SCHEMAS_KEPT_MAX = 64;

function schemaOf(bytes: Uint8Array): Schema {
  const name = Buffer.from(bytes).toString("latin1");
  let schema = schemas.get(name);
  if (schema === undefined) {
    schema = decodeSchema(bytes.slice(PREFIX_SIZE), WHAT);
    if (schemas.size >= SCHEMAS_KEPT_MAX) schemas.clear();
    schemas.set(name, schema);
  }
  return schema;
}

async function codecOf(type: number | undefined): Promise<Codec | undefined> {
  return type === undefined ? undefined : loadCodec(compressionOf(type));
}

type Dictionaries = ReadonlyMap<number, Vector>;

/** One part of a table, whose contents never change. */
export class PartReader {
  readonly #oid: ObjectId;
  readonly contents: PartContents & { readonly schema: Schema };
  #dictionaries: Promise<Map<number, Vector>> | undefined;

  constructor(view: ContainerView, oid: ObjectId) {
    this.#oid = oid;
    const value = view.getValue(oid, TABLE_DKEY, PART_AKEY) ?? new Uint8Array(0);
    this.contents = decodeContents(value, (end) =>
      schemaOf(view.readBytes(oid, SCHEMA_START, end)),
    );
  }

  #bytes(view: ContainerView, start: number, size: number): Uint8Array {
    const end = start + size;
    return view.mapBytes(this.#oid, start, end) ?? view.readBytes(this.#oid, start, end);
  }

  #source(
    view: ContainerView,
    block: Block,
    { codec, dictionaries }: { codec: Codec | undefined; dictionaries: Dictionaries },
  ): LoadSource {
    const body = block.offset + block.metadataSize;
    return {
      what: WHAT,
      isTrusted: true,
      bytesOf: ({ offset, length }) => {
        const bytes = this.#bytes(view, body + offset, length);
        return codec === undefined ? bytes : decompressBuffer(codec, bytes, WHAT);
      },
      dictionary: (id) => dictionaries.get(id),
    };
  }

  /** The metadata of a message, where it is mapped. */
  #metadata(view: ContainerView, { offset, metadataSize }: Block): Uint8Array {
    return this.#bytes(view, offset + PREFIX_SIZE, metadataSize - PREFIX_SIZE);
  }

  async #loadDictionaries(view: ContainerView): Promise<Map<number, Vector>> {
    const dictionaries = new Map<number, Vector>();
    const types = this.contents.schema.dictionaries;
    for (const block of this.contents.dictionaries) {
      const { header } = decodeMessage(this.#metadata(view, block), WHAT);
      const { id, isDelta, data: batch } = header as DictionaryBatch;
      const type = types.get(id);
      if (type === undefined) continue;
      const { compression } = batch as RecordBatch & { compression: { type: number } | null };
      const codec = await codecOf(compression?.type);
      const source = this.#source(view, block, { codec, dictionaries });
      const data = new Loader(decodedLayout(batch), source).load(type);
      const known = isDelta ? dictionaries.get(id) : undefined;
      dictionaries.set(id, new Vector([...(known?.data ?? []), data]));
    }
    return dictionaries;
  }

  /**
   * Columns of a batch.
   *
   * @param wanted Numbers of columns of the part.
   * @returns The data of each.
   */
  async load(view: ContainerView, batch: BatchEntry, wanted: ReadonlySet<number>) {
    this.#dictionaries ??= this.#loadDictionaries(view);
    let dictionaries: Dictionaries;
    try {
      dictionaries = await this.#dictionaries;
    } catch (error) {
      this.#dictionaries = undefined;
      throw error;
    }
    const { layout, compressionType } = storedLayout(this.#metadata(view, batch));
    const codec = compressionType === undefined ? undefined : await codecOf(compressionType);
    const loader = new Loader(layout, this.#source(view, batch, { codec, dictionaries }));
    const columns = new Map<number, Data>();
    const last = Math.max(-1, ...wanted);
    for (const [index, { type }] of this.contents.schema.fields.entries()) {
      if (index > last) break;
      if (wanted.has(index)) columns.set(index, loader.load(type));
      else loader.skip(type);
    }
    return columns;
  }
}
