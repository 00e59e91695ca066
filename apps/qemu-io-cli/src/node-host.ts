/** What commands need of this process: files, signals, a crash. */

import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BlockError, isErrno } from '@blocklayer/block-core'
import type { Host, OpenerOptions } from '@blocklayer/qemu-io'
import type { Terminal } from './terminal.ts'

/** The host of this process. @param terminal - what is buffered there is lost in a crash, and written before a signal */
export function nodeHost(terminal: Terminal): Host {
  return {
    readFile: readWholeFile,
    abort() {
      terminal.discard()
      raise('SIGABRT')
    },
    raise(signal) {
      terminal.flush()
      // Node takes it for its debugger; in the reference nothing happens.
      if (signal !== sigusr1) raise(signal)
    },
  }
}

const sigusr1 = 10
const signalMax = 64

/** A signal that ends the process does so before the next command: the kernel delivers it while we wait. */
function raise(signal: number | NodeJS.Signals): void {
  // One more than there are is let through by the reference, and raises nothing.
  if (typeof signal === 'number' && signal > signalMax) return
  process.kill(process.pid, signal)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
}

async function readWholeFile(path: string): Promise<Uint8Array> {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code !== 'string' || !isErrno(code)) throw error
    throw BlockError.fromErrno(code)
  }
}

/** An empty file that only this process knows. */
export const temporaryFile: NonNullable<OpenerOptions['temporaryFile']> = async () => {
  // The reference prefers the folder that may hold more than memory does.
  const folder = process.env.TMPDIR ?? '/var/tmp'
  const path = join(folder, `blocklayer-qemu-io-${globalThis.crypto.randomUUID()}`)
  closeSync(openSync(path, 'wx', 0o600))
  return { path, remove: async () => rmSync(path, { force: true }) }
}
