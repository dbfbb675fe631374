/**
 * The conformance suite: what every implementation of Communicator must do, at any size.
 *
 *     conformance.mjs world | self | dup | solo
 *
 * Prints one JSON line per rank: { rank, size, passed, failed: { case: failure } }. It is short, because
 * launchers break lines over 4 KiB.
 *
 * @module
 */

import { finalize, infoCreateEnv, SoloCommunicator, self, world } from "node-mpi-bindings";
import { equal, fails, runCases } from "./checks.mjs";
import { collectiveCases } from "./conformance-collectives.mjs";
import { combinedCases } from "./conformance-combined.mjs";
import { communicatorCases } from "./conformance-communicators.mjs";
import { datatypeCases } from "./conformance-datatypes.mjs";
import { environmentCases } from "./conformance-environment.mjs";
import { errorCases } from "./conformance-errors.mjs";
import { exchangeCases } from "./conformance-exchanges.mjs";
import { graphCases } from "./conformance-graphs.mjs";
import { groupCases } from "./conformance-groups.mjs";
import { handlerCases } from "./conformance-handlers.mjs";
import { infoCases } from "./conformance-infos.mjs";
import { intercommunicatorCases } from "./conformance-intercommunicators.mjs";
import { messageCases } from "./conformance-messages.mjs";
import { modeCases } from "./conformance-modes.mjs";
import { neighborCases } from "./conformance-neighbors.mjs";
import { objectCases } from "./conformance-objects.mjs";
import { persistentCases } from "./conformance-persistent.mjs";
import { reductionCases } from "./conformance-reductions.mjs";
import { rmaCases } from "./conformance-rma.mjs";
import { windowCases } from "./conformance-windows.mjs";

const FACTORIES = {
  world,
  self,
  dup: () => world().dup(),
  solo: () => new SoloCommunicator("solo", true),
};

const predefinedCases = {
  "world and self cannot be freed"(comm) {
    fails("MPI_ERR_COMM", () => comm.free());
  },
};

const finalCases = {
  "nothing works after finalize(), which is harmless twice"(comm) {
    finalize();
    finalize();
    fails("MPI_FINALIZED", () => comm.barrier());
    fails("MPI_FINALIZED", () => comm.send(new Uint8Array(1), 0));
    fails("MPI_FINALIZED", () => comm.dup());
    fails("MPI_FINALIZED", () => world());
    equal(infoCreateEnv(["program", "a", "b"]).get("argv"), "a b", "needs no MPI");
  },
};

const kind = process.argv[2] ?? "world";
const comm = FACTORIES[kind]();
const { rank, size } = comm;
const { passed, failed } = await runCases(
  {
    ...environmentCases,
    ...communicatorCases,
    ...groupCases,
    ...messageCases,
    ...modeCases,
    ...datatypeCases,
    ...collectiveCases,
    ...combinedCases,
    ...exchangeCases,
    ...reductionCases,
    ...neighborCases,
    ...objectCases,
    ...infoCases,
    ...windowCases,
    ...rmaCases,
    ...graphCases,
    ...persistentCases,
    ...intercommunicatorCases,
    ...errorCases,
    ...handlerCases,
    ...(kind === "dup" ? {} : predefinedCases),
    ...finalCases,
  },
  comm,
);
console.log(JSON.stringify({ rank, size, passed, failed }));
