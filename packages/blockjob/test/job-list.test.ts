/** Proves what a job id may look like, and that ids are unique in a graph and free again when a job is gone. */
import { createBlockGraph } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { jobsOf } from '../src/index.ts'
import { jobListOf } from '../src/job-list.ts'
import { messageOf, testJob } from './helpers/test-job.ts'

test.each(['', '1a', '-a', '.x', 'a b', 'ä', 'a/b', '#block'])("'%s' is no id", async (id) => {
  expect(await messageOf(() => testJob({ id }))).toBe(`Invalid job ID '${id}'`)
})

test.each(['a', 'Job-1', 'a.b_c', 'Z9'])("'%s' is an id", (id) => {
  expect(testJob({ id }).job.id).toBe(id)
})

test('an id is used by one job at a time', async () => {
  const { job, list } = testJob({ id: 'twice' })
  expect(await messageOf(() => testJob({ id: 'twice', list }))).toBe("Job ID 'twice' already in use")
  job.start({ run: async () => {} })
  await job.done
  expect(testJob({ id: 'twice', list }).job.status).toBe('created')
})

test('a graph has one list, the newest job first', () => {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const list = jobListOf(graph)
  const first = testJob({ id: 'first', list }).job
  const second = testJob({ id: 'second', list }).job
  expect(jobsOf(graph)).toEqual([second, first])
  expect(jobsOf(createBlockGraph({ drivers: [], implicitOpen: 'deny' }))).toEqual([])
})

test('free ids are the kind of job and a number', () => {
  const { list } = testJob({ id: 'commit1' })
  expect([list.freeId('commit'), list.freeId('commit')]).toEqual(['commit0', 'commit2'])
})
