/**
 * Safe defaults: settings that keep MPI libraries from corrupting this process's memory.
 *
 * The libraries read them from the environment, some of them while they are being loaded. Who has set
 * one of these variables, or gives mpirun the parameter, has the last word.
 *
 * UCX (under MPICH, and under Open MPI on clusters) rewrites libc's memory functions while the program
 * runs. V8's threads call them at that moment: 9 of 160 starts of 3 ranks died of it (MPICH 4.0.2, UCX
 * 1.13), none of 100 without. The price is paid on network cards that need memory to be registered:
 * UCX does not remember registrations then.
 *
 * Open MPI's ob1 transport, when it reads a message straight from the sender's memory (a process's own,
 * or another's through CMA), copies all of it, past the end of a short receive buffer, and reports
 * MPI_ERR_TRUNCATE only then (seen in 4.1.4). Through shared memory it does not, at no loss of speed
 * that could be measured.
 *
 * Open MPI 4 makes windows of several ranks with threads through UCX only, where there is no fast network. Debian's
 * openmpi-mca-params.conf leaves that component out, and MPI_Win_create fails (MPI_ERR_WIN). All components are let in
 * but the one for monitoring; Open MPI chooses by priority.
 *
 * @module
 */

const SAFE_DEFAULTS: Readonly<Record<string, string>> = {
  UCX_MEM_EVENTS: "n",
  OMPI_MCA_btl_self_flags: "1", // "send": no reading from memory.
  OMPI_MCA_btl_vader_single_copy_mechanism: "none", // Open MPI 4.
  OMPI_MCA_btl_sm_flags: "1", // Open MPI 5.
  OMPI_MCA_osc: "^monitoring",
  OMPI_MCA_opal_common_ucx_opal_mem_hooks: "0", // As UCX_MEM_EVENTS, by Open MPI's own means.
};

/** Sets the defaults that nobody has set. Main thread only: a worker has a copy of the environment. */
export function applySafeDefaults(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(SAFE_DEFAULTS)) env[name] ??= value;
}
