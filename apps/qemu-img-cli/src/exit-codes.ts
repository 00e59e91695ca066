/** Exit statuses that mean more than "it worked" and "it did not". */

/** Exit status of every command that fails without a status of its own. */
export const exitFailure = 1

/** `--untrusted`, every command: an image is refused. */
export const refusedExit = 65

/** `check`: what it found, or that there is nothing to find. */
export const checkExit = {
  clean: 0,
  notCompleted: 1,
  corruptions: 2,
  leaks: 3,
  notSupported: 63,
} as const

/** `compare`: 0 and 1 are the verdict, the rest are failures by stage. */
export const compareExit = {
  identical: 0,
  different: 1,
  openFailed: 2,
  statusFailed: 3,
  readFailed: 4,
} as const
