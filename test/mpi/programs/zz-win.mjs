import { init, world } from "node-mpi-bindings";
if (process.env.TL) init({threadLevel: process.env.TL});
const comm = world();
try { const m = new Int32Array(4).fill(comm.rank); const w = comm.createWindow(m); w.fence(); const g = new Int32Array(1); w.get(g,(comm.rank+1)%comm.size,1); w.fence(); console.log("ok", g[0]); w.free();
const d = comm.createDynamicWindow(); console.log("dyn ok"); d.free();
} catch (e) { console.log(e.message); }
