/**
 * What every record of an `.h5` file depends on: where the file begins, how wide addresses and lengths
 * are.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { FieldReader } from "../messages/field-codec.js";
import type { FileBytes } from "./file-bytes.js";
import { lookup3 } from "./lookup3.js";

/** Bytes of a checksum at the end of a record. */
export const CHECKSUM_SIZE = 4;

/** Widths of a file, in bytes. */
export interface Widths {
  /** Bytes of an address. */
  readonly offsetSize: number;
  /** Bytes of a length. */
  readonly lengthSize: number;
}

/** Fields of a record, with the widths of its file. */
export class Fields extends FieldReader {
  readonly widths: Widths;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, what: string, widths: Widths) {
    super(bytes, what);
    this.#bytes = bytes;
    this.widths = widths;
  }

  /** An address, from the begin of the HDF5 part; `undefined` is none. */
  address(): number | undefined {
    const { offsetSize } = this.widths;
    const start = this.position;
    const bytes = this.raw(offsetSize);
    if (bytes.every((byte) => byte === 0xff)) return undefined;
    return new FieldReader(this.#bytes, this.what, start).length(offsetSize);
  }

  /** An address that must be one. */
  presentAddress(): number {
    const address = this.address();
    if (address === undefined) throw this.malformed("an address is missing");
    return address;
  }

  /** A length. */
  size(): number {
    return this.length(this.widths.lengthSize);
  }

  /** The rest, as fields of their own. */
  rest(size = this.remaining): Fields {
    return new Fields(this.raw(size), this.what, this.widths);
  }

  /** Text of a number of bytes. */
  text(size: number): string {
    return Buffer.from(this.raw(size)).toString("utf8");
  }

  /** Throws unless the next byte is one of the versions that are known. */
  version(record: string, ...known: readonly number[]): number {
    const version = this.u8();
    if (known.includes(version)) return version;
    throw this.malformed(`version ${version} of the ${record} is not known`);
  }

  /** Throws unless the next bytes are these. */
  signature(signature: string): this {
    const found = Buffer.from(this.raw(signature.length)).toString("latin1");
    if (found === signature) return this;
    throw this.malformed(`"${signature}" is not where it should be`);
  }
}

/** The error for what the file format allows and this reader does not do. */
export function unsupported(what: string, why: string): DaosError {
  const remedy = "rewrite the file without it, for example by h5repack";
  return new DaosError("DER_NOSYS", { what: `Reading ${what}`, why, remedy });
}

/** A file whose superblock is known. Addresses count from the begin of its HDF5 part. */
export class H5Format implements Widths {
  readonly bytes: FileBytes;
  /** Bytes in front of the HDF5 part. */
  readonly base: number;
  readonly offsetSize: number;
  readonly lengthSize: number;

  constructor(bytes: FileBytes, base: number, widths: Widths) {
    this.bytes = bytes;
    this.base = base;
    this.offsetSize = widths.offsetSize;
    this.lengthSize = widths.lengthSize;
  }

  /** Bytes of the HDF5 part. */
  get size(): number {
    return this.bytes.size - this.base;
  }

  /** Fields of a record. */
  record(address: number, size: number, what: string): Fields {
    return new Fields(this.bytes.read(this.base + address, size, what), what, this);
  }

  /**
   * Fields of a record behind its signature, its checksum verified.
   *
   * @param size Bytes of the record, with signature and checksum.
   */
  checkedRecord(
    { address, size, signature }: { address: number; size: number; signature: string },
    what: string,
  ): Fields {
    const bytes = this.bytes.read(this.base + address, size, what);
    return this.checked(bytes, signature, what);
  }

  /** The same, of bytes that were read. */
  checked(bytes: Uint8Array, signature: string, what: string): Fields {
    const fields = new Fields(bytes, what, this).signature(signature);
    const end = bytes.length - CHECKSUM_SIZE;
    const stored = new Fields(bytes.subarray(end), what, this).u32();
    if (stored === lookup3(bytes.subarray(0, end))) {
      return fields.rest(fields.remaining - CHECKSUM_SIZE);
    }
    throw fields.malformed(`the checksum of "${signature}" at some address does not match`);
  }

  /** Fills `target` with the bytes at an address. */
  readInto(target: Uint8Array, address: number, what: string): void {
    this.bytes.readInto(target, this.base + address, what);
  }
}
