/**
 * Infos of how this process was started.
 *
 * @module
 */

import { hostname } from "node:os";
import { MpiError } from "../errors.js";
import { launcherOfProcess } from "../library.js";
import { Info } from "./info.js";

/** Longest value, in bytes. */
const VALUE_SIZE_MAX = 1024;

/**
 * What this process can tell of its start, by the keys of MPI_INFO_ENV: `command`, `argv`, `maxprocs` where the
 * launcher tells it, `wdir`, `host`, `arch`. Without a call of a library, so that it can be had before MPI is started
 * and after it has ended; {@link infoEnv} asks the library.
 *
 * @param args Command and arguments; by default those of this process. What has
 *   more than 1024 bytes is left out.
 * @throws {@link MpiError} `MPI_ERR_ARG` for what is no list of texts.
 * @mpi MPI_Info_create_env
 */
export function infoCreateEnv(args: readonly string[] = process.argv): Info {
  if (!Array.isArray(args) || !args.every((text) => typeof text === "string")) {
    const why = "the command and its arguments are no list of texts";
    throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Info_create_env", why });
  }
  const [command, ...rest] = args;
  const launcher = launcherOfProcess();
  const maxprocs = launcher ? launcher.size : 1;
  const facts = {
    command: command ?? "",
    argv: rest.join(" "),
    maxprocs: maxprocs === undefined ? "" : String(maxprocs),
    wdir: process.cwd(),
    host: hostname(),
    arch: process.arch,
  };
  const isSound = (text: string) => text !== "" && Buffer.byteLength(text) <= VALUE_SIZE_MAX;
  return new Info(Object.entries(facts).filter(([, text]) => isSound(text)));
}
