/** Proves what `open` asks its opener for, and that `close` lets another image in. */

import { expect, test } from 'vitest'
import type { OpenRequest } from '../../src/open-request.ts'
import { recordingOutput } from '../../src/output.ts'
import { runLine } from '../../src/run-line.ts'
import { type OpenedImage, Session } from '../../src/session.ts'
import { bench } from '../helpers/session.ts'

async function opening(imageOpts = false) {
  const { backend } = await bench()
  const requests: OpenRequest[] = []
  const output = recordingOutput()
  const opener = async (request: OpenRequest): Promise<OpenedImage> => {
    requests.push(request)
    return { backend, close: async () => {} }
  }
  const session = new Session({ output, opener, imageOpts })
  const run = async (line: string): Promise<string> => {
    const ok = await runLine(session, line)
    const { out, err } = output.take()
    return `${err}${out}${ok ? '' : 'failed'}`
  }
  return { run, requests }
}

test('a path and options', async () => {
  const { run, requests } = await opening()
  expect(await run('open -r -o driver=raw -o foo a b')).toContain('open [-rsCnkU]')
  expect(await run('open -r -o driver=raw -o foo disk')).toBe(
    "qemu-io: warning: short-form boolean option 'foo' deprecated\nPlease use foo=on instead\n",
  )
  const options = new Map([
    ['driver', 'raw'],
    ['foo', 'on'],
  ])
  expect(requests).toMatchObject([{ path: 'disk', options, readOnly: true }])
  expect(await run('open disk')).toBe("qemu-io: file open already, try 'help close'\nfailed")
  expect([await run('close'), await run('open -s -U x'), requests.length]).toEqual(['', '', 2])
})

test('where operands are options', async () => {
  const { run, requests } = await opening(true)
  expect(await run('open -o a=b x')).toBe("--image-opts and 'open -o' are mutually exclusive\nfailed")
  expect(await run('open driver=raw')).toBe('')
  expect(requests).toMatchObject([{ options: new Map([['driver', 'raw']]) }])
  expect(requests[0]?.path).toBeUndefined()
})
