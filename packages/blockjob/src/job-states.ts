/** The life of a job as two tables: which state may follow which, and which command each state takes. */

/**
 * States that others can see; `null` is the last event of a job that is gone.
 *
 * @see QEMU 7.2 qapi/job.json: JobStatus
 */
export const jobStatuses = [
  'created',
  'running',
  'paused',
  'ready',
  'standby',
  'waiting',
  'pending',
  'aborting',
  'concluded',
  'null',
] as const

/** One of `jobStatuses`. */
export type JobStatus = (typeof jobStatuses)[number]

/** Commands that a job takes. @see QEMU 7.2 qapi/job.json: JobVerb */
export const jobVerbs = ['cancel', 'pause', 'resume', 'set-speed', 'complete', 'finalize', 'dismiss'] as const

/** One of `jobVerbs`. */
export type JobVerb = (typeof jobVerbs)[number]

/** States that may follow; `undefined` is a job under construction. */
const transitions: { readonly [from in JobStatus | 'undefined']: readonly JobStatus[] } = {
  undefined: ['created'],
  created: ['running', 'aborting', 'null'],
  running: ['paused', 'ready', 'waiting', 'aborting'],
  paused: ['running'],
  ready: ['standby', 'waiting', 'aborting'],
  standby: ['ready'],
  waiting: ['pending', 'aborting'],
  pending: ['aborting', 'concluded'],
  aborting: ['aborting', 'concluded'],
  concluded: ['null'],
  null: [],
}

const running: readonly JobStatus[] = ['created', 'running', 'paused', 'ready', 'standby']

const acceptedIn: { readonly [verb in JobVerb]: readonly JobStatus[] } = {
  cancel: [...running, 'waiting', 'pending'],
  pause: running,
  resume: running,
  'set-speed': running,
  complete: ['ready', 'standby'],
  finalize: ['pending'],
  dismiss: ['concluded'],
}

const completed: readonly JobStatus[] = ['waiting', 'pending', 'aborting', 'concluded', 'null']

/** Whether a job may go from one state to the other; `undefined` is a job under construction. */
export function mayFollow(from: JobStatus | undefined, to: JobStatus): boolean {
  return transitions[from ?? 'undefined'].includes(to)
}

/** Whether a job in `status` takes the command. */
export function acceptsVerb(status: JobStatus, verb: JobVerb): boolean {
  return acceptedIn[verb].includes(status)
}

/** The job's work has ended, well or not: what waiting loops wait for. */
export function isCompletedStatus(status: JobStatus): boolean {
  return completed.includes(status)
}

/** The job is in sync and waits for `complete` or `cancel`. */
export function isReadyStatus(status: JobStatus): boolean {
  return status === 'ready' || status === 'standby'
}
