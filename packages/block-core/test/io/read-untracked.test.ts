// The longest transfer splits reads, and the end of the image cuts them.
import { expect, test } from 'vitest'
import { readNodeUntracked } from '../../src/io/read-untracked.ts'
import { stamped } from '../../src/testing/patterns.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

test('a long read is split at the longest transfer, rounded down to whole blocks', async () => {
  const content = stamped(0, 16384)
  const recorder = new Recorder(content)
  recorder.limits = { requestAlignment: 512, maxTransfer: 5000 }
  await using opened = await openRecorder(recorder)
  const into = new Uint8Array(10240)
  await readNodeUntracked(opened.node, 512, into)
  expect(recorder.take()).toEqual(['read 512+4608', 'read 5120+4608', 'read 9728+1024'])
  expect(into).toEqual(content.subarray(512, 10752))
})

test('the last block may end past the end of the image', async () => {
  const recorder = new Recorder(5000)
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openRecorder(recorder, {}, { readOnly: true })
  await readNodeUntracked(opened.node, 4096, new Uint8Array(12288))
  expect(recorder.take()).toEqual(['read 4096+4096'])
})
