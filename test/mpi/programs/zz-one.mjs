import { world } from "node-mpi-bindings";
import { writeSync } from "node:fs";
const [, , file, only] = process.argv;
const m = await import(file);
const comm = world();
for (const cases of Object.values(m)) for (const [name, run] of Object.entries(cases)) {
  if (only && !name.includes(only)) continue;
  if (comm.rank === 0) writeSync(2, `${name}\n`);
  try { await run(comm); } catch (e) { writeSync(2, `  rank ${comm.rank}: ${e.stack.split("\n").slice(0,6).join("\n    ")}\n`); }
}
