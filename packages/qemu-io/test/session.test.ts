/** Proves what a session prints by itself, and that closing waits, reports once and keeps nothing. */

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { recordingOutput } from '../src/output.ts'
import { Session } from '../src/session.ts'
import { bench } from './helpers/session.ts'

const open = { path: 'x', readOnly: false, snapshot: false, copyOnRead: false, forceShare: false, unmap: true } as const
const cache = { direct: false, noFlush: false, writeThrough: true }

test('diagnostics go where the reference prints them', async () => {
  const { session, take } = await bench()
  session.diagnostic({ kind: 'warning', text: 'w' })
  session.diagnostic({ kind: 'error', text: 'e' })
  session.diagnostic({ kind: 'line', text: 'l' })
  session.diagnostic({ kind: 'line', text: "blkdebug: Suspended request 'A'" })
  session.diagnostic({ kind: 'line', text: "blkdebug: Resuming request 'A'" })
  expect(take()).toEqual({
    err: 'qemu-io: warning: w\nqemu-io: e\nl\n',
    out: "blkdebug: Suspended request 'A'\nblkdebug: Resuming request 'A'\n",
  })
})

test('a request is timed, and its failure told', async () => {
  const { session, take } = await bench()
  expect(await session.timed('read', async () => {})).toBe(0)
  expect(await session.timed('read', () => Promise.reject(BlockError.fromErrno('EIO')))).toBeUndefined()
  expect(take().out).toBe('read failed: Input/output error\n')
  await expect(session.timed('read', () => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug')
})

test('reports are left out, or made for programs', async () => {
  const { session, take } = await bench()
  const done = { verb: 'read', offset: 0, bytes: 512, seconds: 1 } as const
  session.report(done, { quiet: true, forPrograms: true })
  session.report(done, { quiet: false, forPrograms: true })
  expect(take().out).toBe('512,1,0:00:01.00,512.000,1.000\n')
})

test('opening: once, and only with an opener', async () => {
  const { session } = await bench()
  await expect(session.open({ ...open, cache })).rejects.toMatchObject({
    text: { told: "file open already, try 'help close'" },
  })
  const output = recordingOutput()
  await expect(new Session({ output }).open({ ...open, cache })).rejects.toMatchObject({
    text: { told: "can't open: Operation not supported" },
  })
  const opener = () => Promise.reject(new BlockError('EINVAL', 'no', { hint: 'why' }))
  await expect(new Session({ output, opener }).open({ ...open, cache })).rejects.toMatchObject({
    text: { told: "can't open device x: no", err: 'why\n' },
  })
})

test('what fails while closing is said once, by whom knows best', async () => {
  const { backend } = await bench()
  const output = recordingOutput()
  const failing = (session: () => Session, tells: boolean) => ({
    backend,
    close() {
      if (tells) session().diagnostic({ kind: 'error', text: 'Failed to flush the table' })
      return Promise.reject(BlockError.fromErrno('EIO'))
    },
  })
  const silent: Session = new Session({ output, image: failing(() => silent, false) })
  await silent.close()
  expect(output.take().err).toBe('qemu-io: Input/output error\n')
  const told: Session = new Session({ output, programName: 'x', image: failing(() => told, true) })
  await told.close()
  expect([output.take().err, told.image]).toEqual(['x: Failed to flush the table\n', undefined])
  await told.close()
})
