/**
 * What the programs of the kill tests write, and how a reader knows that it is whole: version `n` of a
 * writer is an array and a value in the log of which every byte follows from `n`, and a value that says `n`.
 *
 * @module
 */

export const KEY = Buffer.from("version");
/** Holds the same bytes as the array: of more than 4 KiB in the log, else in the index. */
export const BYTES_KEY = Buffer.from("bytes");

/** Sizes differ, so that segments end in blocks of all kinds. */
function sizeOf(version) {
  return 1000 + (version % 7) * 9000;
}

/** The array object and the value object of a writer. */
export function objectsOf(writer) {
  return { array: BigInt(2 * writer + 1), value: BigInt(2 * writer + 2) };
}

/** The bytes of a version. */
export function bytesOf(writer, version) {
  const bytes = new Uint8Array(sizeOf(version));
  for (let at = 0; at < bytes.length; at++) bytes[at] = version * 13 + writer * 101 + at * 3;
  return bytes;
}

/** The version that a view shows of a writer; throws if it is not whole. */
export function checkVersion(view, writer) {
  const { array, value } = objectsOf(writer);
  const text = view.getValue(value, KEY, KEY);
  const version = text === undefined ? 0 : Number(Buffer.from(text).toString());
  const expected = version === 0 ? new Uint8Array(0) : bytesOf(writer, version);
  const read = view.readBytes(array, 0, expected.length);
  if (Buffer.compare(read, expected) !== 0) {
    throw new Error(`epoch ${view.epoch}: version ${version} of writer ${writer} is not whole`);
  }
  const copy = view.getValue(value, KEY, BYTES_KEY) ?? new Uint8Array(0);
  if (Buffer.compare(copy, expected) !== 0) {
    throw new Error(`epoch ${view.epoch}: the value of version ${version} is not whole`);
  }
  return version;
}
