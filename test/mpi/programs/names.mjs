/**
 * Two jobs with one server of names: `serve` publishes a port, and `visit` looks it up and connects to it. Where
 * libraries cannot connect, `tell` publishes a name, and `ask` only looks it up.
 *
 *     names.mjs serve | visit | tell | ask <service>
 */

import {
  closePort,
  lookupName,
  openPort,
  publishName,
  self,
  unpublishName,
} from "node-mpi-bindings";

const [how, service] = process.argv.slice(2);
const ATTEMPT_COUNT_MAX = 200;

/** The job that publishes may start later. */
function lookupSoon(name) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return lookupName(name);
    } catch (error) {
      if (error.code !== "MPI_ERR_NAME" || attempt === ATTEMPT_COUNT_MAX) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}

function meet(others, own) {
  const theirs = new Int32Array(1);
  others.sendrecv(Int32Array.of(own), 0, 1, theirs, 0, 1);
  others.disconnect();
  return theirs[0];
}

let got;
if (how === "serve") {
  const port = openPort();
  publishName(service, port);
  got = meet(self().accept(port), 7);
  unpublishName(service, port);
  closePort(port);
} else if (how === "visit") {
  got = meet(self().connect(lookupSoon(service)), 8);
} else if (how === "tell") {
  self();
  publishName(service, "here");
  // The other job says that it has seen it.
  got = lookupSoon(`${service}-seen`);
  unpublishName(service, "here");
} else {
  self();
  got = lookupSoon(service);
  publishName(`${service}-seen`, "seen");
}
console.log(JSON.stringify({ how, got }));
