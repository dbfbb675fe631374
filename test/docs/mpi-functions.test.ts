/**
 * The table of MPI's functions says what the source and the conformance programs say.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "../support/root.ts";

interface Row {
  readonly name: string;
  readonly here: readonly { readonly text: string }[];
  readonly isTested: boolean | undefined;
}

const { functionsPage, nativeCalls, rows, standard, tagged } = (await import(
  join(root, "docs/mpi-functions/make.mjs")
)) as {
  functionsPage(): string;
  nativeCalls(): Set<string>;
  rows(): Row[];
  standard(): { functions: string[]; deprecated: Record<string, string> };
  tagged(): Map<string, unknown[]>;
};

test("docs/mpi-functions/README.md is what `node docs/mpi-functions/make.mjs` makes of the source", () => {
  const page = readFileSync(join(root, "docs/mpi-functions/README.md"), "utf8");
  expect(page).toBe(functionsPage());
});

test("tags, deprecations and the addon name functions of the standard", () => {
  const { functions, deprecated } = standard();
  const known = new Set(functions);
  const named = [...tagged().keys(), ...nativeCalls(), ...Object.entries(deprecated).flat()];
  // Types have names like those of functions.
  const types =
    /^MPI_(Aint|Comm|Count|Datatype|Errhandler|File|Group|Info|Message|Offset|Op|Request|Status|Win)$/;
  expect(named.filter((name) => !known.has(name) && !types.test(name))).toEqual([]);
});

test("what is here is in a conformance test", () => {
  const untested = rows().filter(({ isTested }) => isTested === false);
  expect(untested.map(({ name }) => name)).toEqual([]);
});
