/**
 * The conformance suite of files, in a folder that is given.
 *
 *     files.mjs <folder> [world | solo]
 *
 * Prints one JSON line per rank: { rank, size, passed, failed: { case: failure } }. At the end a file is left open, which
 * must not keep the job from ending.
 *
 * @module
 */

import { join } from "node:path";
import { File, Mode, SoloCommunicator, world } from "node-mpi-bindings";
import { runCases } from "./checks.mjs";
import { fileErrorCases } from "./conformance-file-errors.mjs";
import { fileTypeCases } from "./conformance-file-types.mjs";
import { fileCases } from "./conformance-files.mjs";

const [, , folder, kind = "world"] = process.argv;
const comm = kind === "solo" ? new SoloCommunicator() : world();
const { rank, size } = comm;
const path = (name) => join(folder, name);
const open = (name, amode, info) => File.open(comm, path(name), amode, info);
const cases = { ...fileCases, ...fileErrorCases, ...fileTypeCases };
const { passed, failed } = await runCases(cases, { comm, open, path, File });
console.log(JSON.stringify({ rank, size, passed, failed }));
open("left-open", Mode.CREATE | Mode.RDWR).writeAtAll(rank, Uint8Array.of(1));
