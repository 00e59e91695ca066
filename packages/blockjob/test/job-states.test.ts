/** Proves that both tables of the specification stand in the code as they stand there, cell by cell. */
import { expect, test } from 'vitest'
import { type JobStatus, jobStatuses, type JobVerb, jobVerbs } from '../src/index.ts'
import { acceptsVerb, isCompletedStatus, isReadyStatus, mayFollow } from '../src/job-states.ts'

// spec/jobs.md, section 2
const allowed: Record<string, readonly JobStatus[]> = {
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

// spec/jobs.md, section 3, in the order of `jobStatuses`
const verbs: Record<JobVerb, string> = {
  cancel: 'xxxxxxx...',
  pause: 'xxxxx.....',
  resume: 'xxxxx.....',
  'set-speed': 'xxxxx.....',
  complete: '...xx.....',
  finalize: '......x...',
  dismiss: '........x.',
}

test.each([undefined, ...jobStatuses])('what may follow %s', (from) => {
  expect(jobStatuses.filter((to) => mayFollow(from, to)).sort()).toEqual([...allowed[String(from)]!].sort())
})

test.each(jobVerbs)('where %s is taken', (verb) => {
  expect(jobStatuses.map((status) => (acceptsVerb(status, verb) ? 'x' : '.')).join('')).toBe(verbs[verb])
})

test('what waiting loops wait for', () => {
  expect(jobStatuses.filter(isCompletedStatus)).toEqual(['waiting', 'pending', 'aborting', 'concluded', 'null'])
  expect(jobStatuses.filter(isReadyStatus)).toEqual(['ready', 'standby'])
})
