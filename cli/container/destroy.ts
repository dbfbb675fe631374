/**
 * `daos container destroy`.
 *
 * @module
 */

import { isDaosError, Pool } from "../../core/index.js";
import { object, text } from "../output/schema.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";

import { noContainer } from "./open.js";

/** `daos container destroy` */
export const containerDestroy = defineVerb({
  name: "destroy",
  summary: "destroy a container with all its versions and snapshots",
  operands: poolAndContainer,
  options: [option("-f, --force", "also while somebody has it open")],
  examples: ["daos container destroy daos://run.pool/results"],
  schema: object({
    container: text("Label or UUID that was given"),
    pool: text("Directory of the pool"),
  }),
  run: ({ pool: directory, container, options }: Call<{ force?: boolean }>) => {
    using pool = Pool.connect(directory);
    try {
      pool.destroyContainer(container, { force: options.force === true });
    } catch (error) {
      if (!isDaosError(error, "DER_NONEXIST")) throw error;
      const what = `Destroying container "${container}" of pool ${pool.path}`;
      throw noContainer(what, pool, container);
    }
    return { container, pool: directory };
  },
  print: ({ container, pool }, output) => {
    output.facts([
      ["Destroyed", container],
      ["Pool", pool],
    ]);
  },
});
