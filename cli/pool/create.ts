/**
 * `dmg pool create` and `dmg pool set-size`.
 *
 * @module
 */

import { Option } from "commander";
import { DaosError, Pool, type PoolSize } from "../../core/index.js";
import { parseSize } from "../output/size.js";
import { type Call, defineVerb, option, poolOperand } from "../verb.js";
import { poolAnswer, poolSchema } from "./answers.js";
import { printPool } from "./query.js";

interface SizeOptions {
  readonly size?: number;
  readonly scmSize?: number;
  readonly nvmeSize?: number;
}

interface CreateOptions extends SizeOptions {
  readonly label?: string;
  readonly durability?: "power" | "process";
  readonly scm?: string;
  readonly nvme?: string;
}

const sizeOptions = [
  option("--size <size>", "limit of both tiers together, such as 100GiB", parseSize),
  option("--scm-size <size>", "limit of the tier of keys, small values and index", parseSize),
  option("--nvme-size <size>", "limit of the tier of array data", parseSize),
];

/** The size that the options mean; `undefined` if they name none. */
function sizeOf(what: string, options: SizeOptions): PoolSize | undefined {
  const { size, scmSize, nvmeSize } = options;
  if (scmSize === undefined && nvmeSize === undefined) return size;
  if (size !== undefined) {
    const why = "--size was given together with the size of a tier";
    const remedy = "give --size alone, or --scm-size and --nvme-size";
    throw new DaosError("DER_INVAL", { what, why, remedy });
  }
  return {
    ...(scmSize === undefined ? {} : { scm: scmSize }),
    ...(nvmeSize === undefined ? {} : { nvme: nvmeSize }),
  };
}

/** `dmg pool create` */
export const poolCreate = defineVerb({
  name: "create",
  summary: "create a pool in a directory that is empty or does not exist",
  operands: [{ name: "directory", kind: "text", description: "directory of the new pool" }],
  options: [
    option("--label <label>", "name for people; by default that of the directory"),
    ...sizeOptions,
    new Option("--durability <what>", "what the pool survives: power cuts, or killed processes")
      .choices(["power", "process"])
      .default("power"),
    option("--scm <directory>", "where the index and small values lie: fast and local"),
    option("--nvme <directory>", "where array data lies"),
  ],
  examples: [
    "dmg pool create /scratch/run.pool --size 100GiB",
    "dmg pool create /scratch/run.pool --scm /local/run.scm --durability process",
  ],
  schema: poolSchema,
  run: ({ words, options }: Call<CreateOptions>) => {
    const directory = words[0] as string;
    const { label, durability, scm, nvme } = options;
    const size = sizeOf(`Creating pool ${directory}`, options);
    using pool = Pool.create({
      path: directory,
      ...(label === undefined ? {} : { label }),
      ...(durability === undefined ? {} : { durability }),
      ...(scm === undefined ? {} : { scm }),
      ...(nvme === undefined ? {} : { nvme }),
      ...(size === undefined ? {} : { size }),
    });
    return poolAnswer(pool.query());
  },
  print: printPool,
});

/** `dmg pool set-size` */
export const poolSetSize = defineVerb({
  name: "set-size",
  summary: "change how large a pool may become",
  description:
    "Change how large a pool may become, for all processes at once. A tier that is not named loses its limit; so do both with --unlimited.",
  operands: [poolOperand],
  options: [...sizeOptions, option("--unlimited", "no limits but those of the file systems")],
  examples: ["dmg pool set-size /scratch/run.pool --size 200GiB"],
  schema: poolSchema,
  run: ({ pool: directory, options }: Call<SizeOptions & { unlimited?: boolean }>) => {
    const what = `Changing the size of pool ${directory}`;
    const size = sizeOf(what, options);
    if ((size === undefined) !== (options.unlimited === true)) {
      const why =
        size === undefined ? "no size was given" : "a size was given together with --unlimited";
      const remedy = "give --size, --scm-size and --nvme-size, or --unlimited";
      throw new DaosError("DER_INVAL", { what, why, remedy });
    }
    using pool = Pool.connect(directory);
    pool.setSize(size ?? {});
    return poolAnswer(pool.query());
  },
  print: printPool,
});
