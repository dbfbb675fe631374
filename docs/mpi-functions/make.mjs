/**
 * Makes docs/mpi-functions/README.md: each function of the MPI standard, its name here, and whether it is tested.
 *
 *     node docs/mpi-functions/make.mjs
 *
 * functions.json lists the functions that the mpi.h of Open MPI 4.1 and of MPICH 4.0 declare. That one is here is said
 * by the source: by the tag `@mpi MPI_Send` in the comment of what does it, and by the calls of native/*.c. That it is
 * tested is said by the conformance programs, and the test of datatypes, which name what they call.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const TAG = /@mpi ((?:MPI_\w+(?:, )?)+)/;

/** Interfaces whose calls belong to another class in a program. */
const OWNERS = {
  ErrhandlerCalls: "Communicator, Window",
  FileCalls: "File",
  FileAccessCalls: "File",
  SplitAccessCalls: "File",
  NeighborCalls: "CartCommunicator",
  PersistentNeighborCalls: "CartCommunicator",
};

const ownerOf = (name) => OWNERS[name] ?? (name.endsWith("Calls") ? "Communicator" : name);

function filesIn(folder, isWanted) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return /^(dist|build|node_modules)$/.test(entry.name) ? [] : filesIn(path, isWanted);
    }
    return isWanted(entry.name) ? [path] : [];
  });
}

const read = (path) => readFileSync(join(root, path), "utf8");

/** The names that a tagged declaration goes by, with its file: { owner, name, file }. */
function* taggedIn(ts, file) {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node, owner) => {
    const comment = ts.getJSDocCommentsAndTags(node).find((one) => ts.isJSDoc(one));
    const names = comment && TAG.exec(comment.getText())?.[1].split(", ");
    const name = node.name?.getText();
    if (names && name && comment.parent === node) found.push({ names, owner, name, file });
    const isOwner =
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isVariableDeclaration(node);
    ts.forEachChild(node, (child) => visit(child, isOwner ? name : owner));
  };
  visit(source, undefined);
  yield* found;
}

/** Of each function of MPI, what does it here: names such as `Communicator.send`, and their files. */
export function tagged() {
  const ts = createRequire(import.meta.url)("typescript");
  const doers = new Map();
  for (const file of filesIn("mpi", (name) => /(?<!\.d)\.ts$/.test(name)).sort()) {
    for (const { names, owner, name } of taggedIn(ts, file)) {
      const text = owner === undefined ? name : `${ownerOf(owner)}.${name}`;
      for (const one of names) doers.set(one, [...(doers.get(one) ?? []), { text, name, file }]);
    }
  }
  return doers;
}

/** Functions of MPI that the addon calls. */
export function nativeCalls() {
  const text = filesIn("mpi/native", (name) => name.endsWith(".c"))
    .map(read)
    .join("\n");
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/"[^"\n]*"/g, "");
  return new Set(code.match(/\bMPI_[A-Z][a-z]\w*/g));
}

/** Whether a text calls something of a name, reads it, or names it for a call. */
function isNamed(text, name) {
  return new RegExp(`\\b${name}\\(|\\.${name}\\b|["'\`]${name}["'\`]|\\b${name}: `).test(text);
}

/** Whether a conformance program uses a name; some of them make the nonblocking form `i...` of all that they name. */
function tester() {
  const files = filesIn("test/mpi", (name) =>
    /^(conformance|processes|spawned).*\.mjs$|^datatype\.test/.test(name),
  );
  const programs = files.map(read);
  return (name) =>
    programs.some(
      (text) =>
        isNamed(text, name) ||
        (name.startsWith("i") && text.includes("[`i${") && isNamed(text, name.slice(1))),
    );
}

/** What is in functions.json. */
export function standard() {
  return JSON.parse(readFileSync(join(here, "functions.json"), "utf8"));
}

/** The table's rows: function, what does it, how, whether it is tested. */
export function rows() {
  const { functions, deprecated, notes } = standard();
  const doers = tagged();
  const native = nativeCalls();
  const isTested = tester();
  return functions.map((name) => {
    const here = doers.get(name) ?? [];
    const note = notes.find(([pattern]) => new RegExp(pattern).test(name))?.[1] ?? "";
    const replaced = deprecated[name] ? `deprecated: ${deprecated[name]}` : "";
    if (here.length > 0) {
      const how = native.has(name) ? "library" : "TypeScript";
      return { name, here, how, isTested: here.some((one) => isTested(one.name)), note: replaced };
    }
    const how = native.has(name) ? "within other calls" : "";
    return { name, here, how, isTested: undefined, note: replaced || note };
  });
}

function line({ name, here, how, isTested, note }) {
  const link = ({ text, file }) => `[\`${text}\`](../../${file})`;
  const tested = isTested === undefined ? "" : isTested ? "yes" : "no";
  return `| \`${name}\` | ${here.map(link).join(", ")} | ${how} | ${tested} | ${note} |`;
}

/** The page, as it should be. */
export function functionsPage() {
  const all = rows();
  const present = all.filter(({ here }) => here.length > 0);
  const tested = present.filter(({ isTested }) => isTested);
  const open = all.filter(({ here, how, note }) => here.length === 0 && how === "" && note === "");
  return `# Functions of the MPI standard

Made by \`node docs/mpi-functions/make.mjs\` of the tags \`@mpi\` in the source, of the calls in mpi/native and of the
conformance programs. Do not edit.

${all.length} functions that Open MPI 4.1 or MPICH 4.0 declare, without tools (\`MPI_T\`), conversions of handles to
Fortran, and the forms with large counts (\`MPI_Send_c\`): a buffer here has at most 2,147,483,647 elements. ${present.length}
are here, ${tested.length} of them in a conformance test; ${open.length} are missing without a reason.

*library*: the addon calls it. *TypeScript*: done without the library. *within other calls*: the addon calls it where it
is needed.

| function | here | how | tested | note |
|---|---|---|---|---|
${all.map(line).join("\n")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(here, "README.md"), functionsPage());
}
