/**
 * `list-attr`, `get-attr`, `set-attr` and `del-attr` of pools and containers.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { list, object, optional, text, type Value } from "../output/schema.js";
import { type AnyVerb, type Call, defineVerb, type Operand, option } from "../verb.js";
import { exampleOf, type Noun, operandsOf, withHolder } from "./holder.js";
import { splitPair } from "./properties.js";

/** A name and its bytes. */
export const describedSchema = object({
  name: text("Name"),
  value: optional(text("Value, if it is UTF-8")),
  base64: optional(text("Value in base64, if it is not")),
});
const attributesSchema = object({ attributes: list(describedSchema, "The attributes, by name") });
type Answer = Value<typeof attributesSchema>;
const namesSchema = object({ names: list(text("A name"), "Names of attributes") });
type Names = Value<typeof namesSchema>;

function names(description: string, isOptional: boolean): Operand {
  return { name: "name", kind: "text", isRepeated: true, isOptional, description };
}

/** A name and its bytes, as text where they are. */
export function describedBytes(name: string, bytes: Uint8Array): Value<typeof describedSchema> {
  try {
    return { name, value: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { name, base64: Buffer.from(bytes).toString("base64") };
  }
}

function print({ attributes }: Answer, output: Output): void {
  output.facts(attributes.map(({ name, value, base64 }) => [name, value ?? base64]));
}

function printNames({ names: all }: Names, output: Output): void {
  for (const name of all) output.line(name);
}

/** `list-attr` */
export function listAttributes(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "list-attr",
    aliases: ["list-attrs"],
    summary: `list the names of a ${noun}'s user attributes`,
    operands: operandsOf(noun),
    examples: [exampleOf(program, noun, "list-attr")],
    schema: namesSchema,
    run: (call: Call) =>
      withHolder(noun, call, "ro", (holder) => ({ names: holder.listAttributes() })),
    print: printNames,
  });
}

/** `get-attr` */
export function getAttributes(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "get-attr",
    summary: `tell user attributes of a ${noun}`,
    operands: [...operandsOf(noun), names("names of attributes; all by default", true)],
    examples: [exampleOf(program, noun, "get-attr", "project")],
    schema: attributesSchema,
    run: (call: Call) => {
      const wanted = call.words.length === 0 ? undefined : call.words;
      const found = withHolder(noun, call, "ro", (holder) => holder.getAttributes(wanted));
      const missing = call.words.find((name) => !Object.hasOwn(found, name));
      if (missing !== undefined) {
        const what = `Reading attribute "${missing}"`;
        const remedy = `choose one of "${program} ${noun} list-attr"`;
        throw new DaosError("DER_NONEXIST", { what, why: "there is none of that name", remedy });
      }
      return {
        attributes: Object.entries(found).map(([name, value]) => describedBytes(name, value)),
      };
    },
    print,
  });
}

/** `set-attr` */
export function setAttributes(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "set-attr",
    summary: `store user attributes of a ${noun}: all of them, or none`,
    operands: [
      ...operandsOf(noun),
      {
        name: "name:value",
        kind: "text",
        isRepeated: true,
        description: "attributes and their values; the name ends at the first colon",
      },
    ],
    options: [option("--base64", "the values are written in base64")],
    examples: [exampleOf(program, noun, "set-attr", "project:combustion")],
    schema: attributesSchema,
    run: (call: Call<{ base64?: boolean }>) => {
      const given = Object.fromEntries(
        call.words.map(splitPair).map(([name, value]) => {
          return [name, bytesOf(name, value, call.options.base64 === true)];
        }),
      );
      withHolder(noun, call, "rw", (holder) => holder.setAttributes(given));
      return {
        attributes: Object.entries(given).map(([name, value]) => describedBytes(name, value)),
      };
    },
    print,
  });
}

function bytesOf(name: string, written: string, isBase64: boolean): Uint8Array {
  if (!isBase64) return Buffer.from(written);
  const bytes = Buffer.from(written, "base64");
  if (bytes.toString("base64") === written) return bytes;
  const what = `Reading the value of attribute "${name}"`;
  const remedy = "encode it as `base64 -w 0` does, or leave --base64 out";
  throw new DaosError("DER_INVAL", { what, why: "it is not base64", remedy });
}

/** `del-attr` */
export function deleteAttributes(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "del-attr",
    summary: `delete user attributes of a ${noun}: all of them, or none`,
    operands: [...operandsOf(noun), names("names of attributes", false)],
    examples: [exampleOf(program, noun, "del-attr", "project")],
    schema: namesSchema,
    run: (call: Call) => {
      withHolder(noun, call, "rw", (holder) => holder.deleteAttributes(call.words));
      return { names: call.words };
    },
    print: (answer, output) => {
      if (output.isTerminal) output.line("Deleted:");
      printNames(answer, output);
    },
  });
}
