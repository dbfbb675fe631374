/**
 * Writes a large dataset from memory: `node write.mjs <file> <MiB>`. Prints a line when elements are being written,
 * and then the code of the failure, or "written".
 */

import { writeH5 } from "daos-ts/hdf5";

const [path, mebibytes] = process.argv.slice(2);
const BITS = { bitOffset: 0, precision: 8, padding: { low: 0, high: 0 } };
const order = { isTracked: false, isIndexed: false };
const base = { attributeOrder: order, comment: undefined, attributes: async function* () {} };
const shape = [Number(mebibytes), 1 << 20];
const dataset = {
  ...{ kind: "dataset", id: "d", reference: 2n, ...base, storedSize: undefined },
  description: {
    type: { class: "integer", size: 1, order: "little", isSigned: false, ...BITS },
    committedType: undefined,
    space: { kind: "simple", shape, maxShape: shape },
    layout: { kind: "contiguous" },
    filters: [],
    fill: { allocation: "late", time: "ifset", value: undefined },
  },
  read: async (box) => ({ bytes: new Uint8Array(box.shape[0] * box.shape[1]).fill(7), heap: [] }),
  storedChunks: () => undefined,
};
const root = {
  ...{ kind: "group", id: "r", reference: 1n, ...base, linkOrder: order },
  async *links() {
    yield { name: "d", nameCharset: "ascii", kind: "hard", open: async () => dataset };
  },
};
const source = {
  ...{ name: "memory", userBlock: new Uint8Array(0), close: async () => {} },
  root: async () => root,
  resolve: async () => undefined,
};

let bytes = 0;
try {
  const { size } = await writeH5(source, path, {
    replace: true,
    advance: (count) => {
      if (bytes === 0) console.log("begun");
      bytes += count;
    },
  });
  console.log(JSON.stringify({ code: "written", size, rss: process.resourceUsage().maxRSS }));
} catch (error) {
  console.log(JSON.stringify({ code: error.code }));
}
