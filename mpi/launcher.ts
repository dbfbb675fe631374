/**
 * Launcher: what started this process, judged by the environment.
 *
 *     mpiexec (hydra)       PMI_RANK, PMI_SIZE; PMI_FD, if it is there, is an open socket
 *     mpirun (Open MPI)     OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
 *     srun with PMIx        PMIX_NAMESPACE, SLURM_PROCID, SLURM_STEP_NUM_TASKS
 *     srun without PMI      SLURM_PROCID, SLURM_STEP_NUM_TASKS
 *     another with PMIx     PMIX_NAMESPACE, PMIX_RANK
 *
 * Variables are inherited by launchers that a rank starts, so several sets can be there. An open
 * socket is the newest; Node does not pass it on to children. Where the socket is gone, the process is
 * a child of a rank, or a rank started through npx: it cannot join the job (`none`), and must not take
 * itself for a job of one rank by mistake.
 *
 * A batch script of Slurm has SLURM_PROCID but is no task of a step, so that this variable alone does
 * not count.
 *
 * Looks at nothing but its arguments.
 *
 * @module
 */

/** A family of MPI libraries with one way to be launched. */
export type Family = "openmpi" | "mpich";

/** What is known of this process from the environment alone. */
export interface Launcher {
  /** Which libraries can join the job; "any": whichever speaks PMIx; "none": none can. */
  readonly family: Family | "any" | "none";
  /** Its usual command, for messages. */
  readonly command: string;
  readonly rank: number;
  /** Number of ranks; undefined where the launcher does not tell. */
  readonly size: number | undefined;
  /** Rank among those on the same node, from 0; undefined where the launcher does not tell. */
  readonly localRank: number | undefined;
  /** Number of ranks on the same node; undefined where the launcher does not tell. */
  readonly localSize: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that is a whole number from 0, or undefined. */
function count(env: Environment, name: string): number | undefined {
  const text = env[name];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Assembles a launcher if rank and size make sense together. */
function launcher(
  env: Environment,
  names: { rank: string; size: string; localRank: string; localSize: string },
  kind: Pick<Launcher, "family" | "command">,
): Launcher | undefined {
  const rank = count(env, names.rank);
  const size = count(env, names.size);
  if (rank === undefined || size === undefined || rank >= size) return undefined;
  const localRank = count(env, names.localRank);
  const localSize = count(env, names.localSize);
  return { ...kind, rank, size, localRank, localSize };
}

function hydra(env: Environment, family: "mpich" | "none"): Launcher | undefined {
  const names = {
    rank: "PMI_RANK",
    size: "PMI_SIZE",
    localRank: "MPI_LOCALRANKID",
    localSize: "MPI_LOCALNRANKS",
  };
  return launcher(env, names, { family, command: "mpiexec" });
}

function openMpi(env: Environment): Launcher | undefined {
  const names = {
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  };
  return launcher(env, names, { family: "openmpi", command: "mpirun" });
}

function slurm(env: Environment): Launcher | undefined {
  const names = { rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS" };
  const local = { localRank: "SLURM_LOCALID", localSize: "" };
  const family = env.PMIX_NAMESPACE === undefined ? "none" : "any";
  return launcher(env, { ...names, ...local }, { family, command: "srun" });
}

function pmix(env: Environment): Launcher | undefined {
  const rank = count(env, "PMIX_RANK");
  if (rank === undefined || env.PMIX_NAMESPACE === undefined) return undefined;
  const unknown = { size: undefined, localRank: undefined, localSize: undefined };
  return { family: "any", command: "a PMIx launcher", rank, ...unknown };
}

/**
 * Finds the launcher of this process.
 *
 * @param env The environment.
 * @param isSocket Whether a file descriptor is an open socket of this process.
 * @returns Undefined if the process was started alone.
 */
export function detectLauncher(
  env: Environment,
  isSocket: (fd: number) => boolean,
): Launcher | undefined {
  const fd = count(env, "PMI_FD");
  const joined = fd === undefined || isSocket(fd) ? hydra(env, "mpich") : undefined;
  return joined ?? openMpi(env) ?? hydra(env, "none") ?? slurm(env) ?? pmix(env);
}
