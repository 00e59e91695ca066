// Compressed writes reach drivers that have them, are refused by name where they do not, and count as writes.
import { expect, test } from 'vitest'
import { filled } from '../../src/testing/patterns.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

test('a driver without compression refuses', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  await expect(opened.disk.writeCompressed(0, filled(1, 512))).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: 'Operation not supported',
  })
})
