/**
 * `object list` and `object query`: what is stored under an object id, for people who look for faults.
 *
 * @module
 */

import { type ContainerView, DaosError, formatOid, ObjectType } from "../../core/index.js";
import { openContainer, openView, type VersionOptions, versionOptions } from "../container/open.js";
import { epoch, flag, integer, list, object, oid, optional, text } from "../output/schema.js";
import { parseCount } from "../output/size.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";
import { keyText, parseOid, typeOf } from "./keys.js";

/** Objects and keys that are listed unless the user wants more. */
const LIMIT_DEFAULT = 1000;

const limitOption = option(
  "--limit <count>",
  `entries at most; ${LIMIT_DEFAULT} by default`,
  parseCount,
);

/** `daos object list`, and DAOS's `container list-objects` */
export const objectList = defineVerb({
  name: "list",
  aliases: ["ls"],
  summary: "list the objects of a container that hold anything",
  operands: poolAndContainer,
  options: [limitOption, ...versionOptions],
  examples: [
    "daos object list daos://run.pool/results",
    "daos object list daos://run.pool/results --snap before-restart --limit 10",
  ],
  schema: object({
    epoch: epoch("The version"),
    objects: list(object({ oid: oid("Object id"), type: text("Its type") }), "In order"),
    isComplete: flag("Whether these are all"),
  }),
  run: (call: Call<VersionOptions & { limit?: number }>) => {
    using opened = openContainer(call.pool, call.container, "ro");
    using view = openView(opened.container, call.options);
    const { keys, anchor } = view.listObjects({ limit: call.options.limit ?? LIMIT_DEFAULT });
    const objects = keys.map((id) => ({ oid: formatOid(id), type: typeOf(id) }));
    return { epoch: String(view.epoch), objects, isComplete: anchor === undefined };
  },
  print: ({ objects, isComplete }, output) => {
    output.table(
      [{ head: "Object" }, { head: "Type" }],
      objects.map(({ oid: id, type }) => [id, type]),
    );
    if (!isComplete) output.warn("there are more: raise --limit");
  },
});

function describe(view: ContainerView, id: bigint, limit: number) {
  const type = typeOf(id);
  const { keys, anchor } = view.listDkeys(id, { limit });
  const dkeys = keys.map((dkey) => ({
    dkey: keyText(id, "dkey", dkey),
    akeys: view.listAkeys(id, dkey, { limit }).keys.map((akey) => keyText(id, "akey", akey)),
  }));
  const size = id >> 120n === BigInt(ObjectType.arrayByte) ? { size: view.arraySize(id) } : {};
  const exists = view.exists(id) || (size.size ?? 0) > 0;
  return { oid: formatOid(id), type, exists, ...size, dkeys, isComplete: anchor === undefined };
}

/** `daos object query` */
export const objectQuery = defineVerb({
  name: "query",
  summary: "tell an object's type, size and keys",
  operands: [
    ...poolAndContainer,
    { name: "oid", kind: "text", description: "object id, such as d00000000000000.3" },
  ],
  options: [limitOption, ...versionOptions],
  examples: ["daos object query daos://run.pool/results d00000000000000.3"],
  schema: object({
    oid: oid("Object id"),
    type: text("Its type"),
    epoch: epoch("The version"),
    exists: flag("Whether it holds anything"),
    size: optional(integer("Of a byte array: one past the last byte written")),
    dkeys: list(
      object({
        dkey: text("A number, text, or hexadecimal with 0x"),
        akeys: list(text("Likewise"), "Its akeys"),
      }),
      "In order",
    ),
    isComplete: flag("Whether these are all dkeys"),
  }),
  run: (call: Call<VersionOptions & { limit?: number }>) => {
    const id = parseOid(call.words[0]);
    using opened = openContainer(call.pool, call.container, "ro");
    using view = openView(opened.container, call.options);
    const described = describe(view, id, call.options.limit ?? LIMIT_DEFAULT);
    if (!described.exists) {
      const text = {
        what: `Querying object ${formatOid(id)} of container "${opened.container.label}"`,
        why: "nothing is stored under this id at this version",
        remedy: "take an id from `daos object list`, or name another version",
      };
      throw new DaosError("DER_NONEXIST", text, { oid: formatOid(id) });
    }
    return { epoch: String(view.epoch), ...described };
  },
  print: (answer, output) => {
    output.facts([
      ["Object", answer.oid],
      ["Type", answer.type],
      ["Epoch", answer.epoch],
      ...(answer.size === undefined ? [] : [["Size", { bytes: answer.size }] as const]),
    ]);
    if (answer.dkeys.length === 0) return;
    if (output.isTerminal) output.line();
    output.table(
      [{ head: "Dkey" }, { head: "Akeys" }],
      answer.dkeys.map(({ dkey, akeys }) => [dkey, akeys.join(", ")]),
    );
    if (!answer.isComplete) output.warn("there are more: raise --limit");
  },
});
