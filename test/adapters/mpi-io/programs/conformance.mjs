/**
 * The conformance suite of files, on `daos://` paths or on plain ones, through the same `File`.
 *
 *     conformance.mjs <folder: an address or a directory> [world | solo]
 *
 * Prints one JSON line per rank: { rank, size, passed, failed: { case: failure } }.
 *
 * @module
 */

import { File, SoloCommunicator, world } from "daos-ts/mpi-io";
import { runCases } from "../../../mpi/programs/checks.mjs";
import { fileErrorCases } from "../../../mpi/programs/conformance-file-errors.mjs";
import { fileTypeCases } from "../../../mpi/programs/conformance-file-types.mjs";
import { fileCases } from "../../../mpi/programs/conformance-files.mjs";
import { storeCases } from "./store-cases.mjs";

const [, , folder, kind = "world"] = process.argv;
const comm = kind === "solo" ? new SoloCommunicator() : world();
const { rank, size } = comm;
const isDaos = folder.startsWith("daos://");
const path = (name) => `${folder}/${name}`;
const open = (name, amode, info) => File.open(comm, path(name), amode, info);
const cases = {
  ...fileCases,
  ...fileErrorCases,
  ...fileTypeCases,
  ...(isDaos ? storeCases : {}),
};
const { passed, failed } = await runCases(cases, {
  comm,
  open,
  path,
  File,
  createsFolders: isDaos,
});
console.log(JSON.stringify({ rank, size, passed, failed }));
