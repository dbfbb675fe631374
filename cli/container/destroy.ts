/**
 * `daos container destroy`.
 *
 * @module
 */

import { Pool } from "../../core/index.js";
import { object, text } from "../output/schema.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";

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
    pool.destroyContainer(container, { force: options.force === true });
    return { container, pool: directory };
  },
  print: ({ container, pool }, output) => {
    output.facts([
      ["Destroyed", container],
      ["Pool", pool],
    ]);
  },
});
