/**
 * `get-acl`, `overwrite-acl`, `update-acl`, `delete-acl` and `set-owner` of pools and containers.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { type Administered, DaosError, formatAclEntry } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { list, object, text, type Value } from "../output/schema.js";
import { type AnyVerb, type Call, defineVerb, option } from "../verb.js";
import { exampleOf, type Noun, operandsOf, withHolder } from "./holder.js";

const aclSchema = object({
  owner: text("User who owns it"),
  group: text("Group that owns it"),
  entries: list(text("An entry, A:FLAGS:PRINCIPAL:PERMISSIONS"), "In the order of matching"),
});
type Answer = Value<typeof aclSchema>;

function answerOf(holder: Administered): Answer {
  const { owner, group } = holder.getProperties();
  const entries = holder.getAcl().map(formatAclEntry);
  return { owner: String(owner), group: String(group), entries };
}

/** The same text can be given to `overwrite-acl`: what is no entry is a comment. */
function print({ owner, group, entries }: Answer, output: Output): void {
  output.line(`# Owner: ${owner}`);
  output.line(`# Owner Group: ${group}`);
  for (const entry of entries) output.line(entry);
}

interface AclOptions {
  readonly aclFile?: string;
  readonly entry?: readonly string[];
}

const entryOption = option<readonly string[] | undefined>(
  "--entry <entry>",
  "an entry, such as A::alice@:rw; as often as there are entries",
);
entryOption.argParser((written: string, before: readonly string[] = []) => [...before, written]);

const aclOptions = [
  option("--acl-file <file>", "entries, one on a line; - reads the standard input"),
  entryOption,
];

function writtenAcl(what: string, { aclFile, entry }: AclOptions): string {
  if ((aclFile === undefined) === (entry === undefined)) {
    const why = entry === undefined ? "no entries were given" : "--acl-file and --entry were given";
    throw new DaosError("DER_INVAL", { what, why, remedy: "give --acl-file or --entry" });
  }
  if (entry !== undefined) return entry.join("\n");
  return readFileSync(aclFile === "-" ? 0 : (aclFile as string), "utf8");
}

/** `get-acl` */
export function getAcl(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "get-acl",
    summary: `tell the access control list of a ${noun}`,
    operands: operandsOf(noun),
    examples: [exampleOf(program, noun, "get-acl")],
    schema: aclSchema,
    run: (call: Call) => withHolder(noun, call, "ro", answerOf),
    print,
  });
}

interface Change {
  readonly name: string;
  readonly summary: string;
  readonly change: (holder: Administered, acl: string) => void;
}

function changingVerb(program: string, noun: Noun, { name, summary, change }: Change): AnyVerb {
  return defineVerb({
    name,
    summary,
    operands: operandsOf(noun),
    options: aclOptions,
    examples: [
      exampleOf(program, noun, name, "--acl-file team.acl"),
      exampleOf(program, noun, name, "--entry A::OWNER@:rwcdtTaAo --entry A:G:staff@:r"),
    ],
    schema: aclSchema,
    run: (call: Call<AclOptions>) => {
      const acl = writtenAcl(`Reading the entries for ${noun} ${name}`, call.options);
      return withHolder(noun, call, "rw", (holder) => {
        change(holder, acl);
        return answerOf(holder);
      });
    },
    print,
  });
}

/** `overwrite-acl` */
export function overwriteAcl(program: string, noun: Noun): AnyVerb {
  return changingVerb(program, noun, {
    name: "overwrite-acl",
    summary: `replace the access control list of a ${noun}`,
    change: (holder, acl) => holder.overwriteAcl(acl),
  });
}

/** `update-acl` */
export function updateAcl(program: string, noun: Noun): AnyVerb {
  return changingVerb(program, noun, {
    name: "update-acl",
    summary: `add entries to the list of a ${noun}, or replace those of the same principals`,
    change: (holder, acl) => holder.updateAcl(acl),
  });
}

/** `delete-acl` */
export function deleteAcl(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "delete-acl",
    summary: `delete the entry of a principal from the list of a ${noun}`,
    operands: operandsOf(noun),
    options: [option("--principal <principal>", "OWNER@, GROUP@, EVERYONE@, u:alice@ or g:staff@")],
    examples: [exampleOf(program, noun, "delete-acl", "--principal u:alice@")],
    schema: aclSchema,
    run: (call: Call<{ principal?: string }>) => {
      const { principal } = call.options;
      if (principal === undefined) {
        const what = "Deleting an entry of an access control list";
        const text = { what, why: "no principal was given", remedy: "give --principal" };
        throw new DaosError("DER_INVAL", text);
      }
      return withHolder(noun, call, "rw", (holder) => {
        holder.deleteAclEntry(principal);
        return answerOf(holder);
      });
    },
    print,
  });
}

/** `set-owner` */
export function setOwner(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "set-owner",
    summary: `give a ${noun} to another user, another group, or both`,
    operands: operandsOf(noun),
    options: [
      option("--user <name>", "the user who is to own it"),
      option("--group <name>", "the group that is to own it"),
    ],
    examples: [exampleOf(program, noun, "set-owner", "--user alice@ --group staff@")],
    schema: aclSchema,
    run: (call: Call<{ user?: string; group?: string }>) => {
      const { user, group } = call.options;
      if (user === undefined && group === undefined) {
        const what = `Changing the owner of a ${noun}`;
        const text = { what, why: "nobody was named", remedy: "give --user, --group, or both" };
        throw new DaosError("DER_INVAL", text);
      }
      return withHolder(noun, call, "rw", (holder) => {
        holder.setOwner({
          ...(user === undefined ? {} : { user }),
          ...(group === undefined ? {} : { group }),
        });
        return answerOf(holder);
      });
    },
    print,
  });
}
