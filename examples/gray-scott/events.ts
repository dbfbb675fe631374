/**
 * Events: what the simulation tells whoever started it, one JSON object per line of standard output.
 *
 * @module
 */

/** A line of the simulation. */
export type SimulationEvent =
  /** Of each rank, before MPI starts. */
  | { readonly event: "process"; readonly pid: number }
  /** Of rank 0: the processes know each other. */
  | {
      readonly event: "job";
      readonly source: string;
      readonly nodes: number;
      readonly processes: number;
    }
  /** Of rank 0: the state is there. */
  | { readonly event: "start"; readonly ranks: readonly number[]; readonly step: number }
  /** Of rank 0, about twice a second. */
  | { readonly event: "progress"; readonly step: number }
  /** Of rank 0: a checkpoint was committed; the epoch is a decimal number. */
  | {
      readonly event: "checkpoint";
      readonly step: number;
      readonly epoch: string;
      readonly bytes: number;
      readonly seconds: number;
    }
  /** Of a rank that is about to kill itself. */
  | {
      readonly event: "dying";
      readonly rank: number;
      readonly step: number;
      readonly bytes: number;
    }
  /** Of a rank that met a failure which it expects, before it ends the job. */
  | { readonly event: "failed"; readonly code: string; readonly message: string }
  /** Of rank 0: all steps are done. */
  | { readonly event: "done"; readonly step: number; readonly seconds: number };

/** Prints an event; it is out when the call returns. */
export function emit(event: SimulationEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Reads a line; undefined if it is something else that a rank or the launcher printed. */
export function parseEvent(line: string): SimulationEvent | undefined {
  if (!line.startsWith('{"event":')) return undefined;
  try {
    return JSON.parse(line) as SimulationEvent;
  } catch {
    return undefined;
  }
}
