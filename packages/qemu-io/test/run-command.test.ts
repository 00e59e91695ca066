/** Proves the one call that a program needs: output as text, background requests waited for, the image left open. */

import { expect, test } from 'vitest'
import { runCommand } from '../src/run-command.ts'
import { bench } from './helpers/session.ts'

test('commands on an image that is open', async () => {
  const { backend, graph } = await bench()
  const host = { now: () => 0 }
  expect(await runCommand(backend, 'write -q -P 7 512 512')).toEqual({ ok: true, out: '', err: '' })
  expect((await runCommand(backend, 'aio_read -v 512 4', { host })).out).toContain('00000200:  07 07 07 07  ....\n')
  expect(await runCommand(backend, 'read -qP 8 512 512')).toMatchObject({ ok: false })
  expect(await runCommand(backend, 'foo')).toEqual({ ok: false, out: '', err: 'command "foo" not found\n' })
  expect(await runCommand(backend, 'close')).toMatchObject({ ok: true })
  expect(await runCommand(backend, 'length')).toEqual({ ok: true, out: '64 KiB\n', err: '' })
  expect(await runCommand(backend, 'reopen')).toEqual({
    ok: false,
    out: '',
    err: 'qemu-io: The image was opened elsewhere: it cannot be reopened\n',
  })
  expect(await runCommand(backend, 'reopen', { graph })).toEqual({ ok: true, out: '', err: '' })
})
