/*
 * Reads of mapped files that survive a page which is not there: a file that was truncated under its
 * map, or a device that cannot read, is a SIGBUS, which ends the process.
 *
 *     sigjmp_buf back;
 *     if (FAULT_CAUGHT(back))
 *       return throw_errno(env, EFAULT, "...");   // in the middle of the read
 *     ... the read ...
 *     fault_end();
 *
 * Between the two nothing may be called that takes locks or allocates. A thread that is not between
 * them gets what it would have got without: the handler of before, or its end.
 */
#ifndef DAOS_FAULT_GUARD_H
#define DAOS_FAULT_GUARD_H

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Where a read of this thread goes back to; NULL outside of reads. */
static _Thread_local sigjmp_buf *fault_return;
/* Whether this thread's fault was handed to the handler of before, which may hand it back. */
static _Thread_local bool fault_passed;
static struct sigaction fault_before;
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_fault(int signal, siginfo_t *info, void *context) {
  if (fault_return != NULL)
    siglongjmp(*fault_return, 1);
  bool is_information = (fault_before.sa_flags & SA_SIGINFO) != 0;
  bool is_default =
      !is_information && (fault_before.sa_handler == SIG_DFL || fault_before.sa_handler == SIG_IGN);
  if (is_default || fault_passed) {
    // The instruction runs again, and the default action ends the process.
    struct sigaction end = {.sa_handler = SIG_DFL};
    sigaction(signal, &end, NULL);
    return;
  }
  fault_passed = true;
  if (is_information)
    fault_before.sa_sigaction(signal, info, context);
  else
    fault_before.sa_handler(signal);
  fault_passed = false;
}

/* Keeps the library of some code loaded: Node unloads addons with the last worker that uses them.
 */
static inline void keep_loaded(void *code) {
  Dl_info found;
  if (dladdr(code, &found) != 0 && found.dli_fname != NULL)
    dlopen(found.dli_fname, RTLD_LAZY | RTLD_NODELETE | RTLD_NOLOAD);
}

/* Sees to it that faults come here, also if somebody else has set a handler meanwhile. */
static inline void guard_faults(void) {
  struct sigaction now;
  // Not deferred: a jump out of the handler would leave the signal blocked.
  struct sigaction own = {.sa_sigaction = on_fault,
                          .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  sigemptyset(&own.sa_mask);
  pthread_mutex_lock(&fault_lock);
  bool is_own = sigaction(SIGBUS, NULL, &now) != 0 ||
                ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault);
  if (!is_own) {
    keep_loaded((void *)on_fault);
    fault_before = now;
    sigaction(SIGBUS, &own, NULL);
  }
  pthread_mutex_unlock(&fault_lock);
}

/* Saves no signal mask: that is a system call, and nothing is blocked. */
#define FAULT_CAUGHT(back) (fault_return = &(back), sigsetjmp((back), 0) != 0 && fault_end())

/* Ends a guarded read. */
static inline bool fault_end(void) {
  fault_return = NULL;
  return true;
}

#endif
