/** One description as each side takes it: what it says of it, and the bytes it reads. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AnyDriver,
  BlockError,
  type BlockGraph,
  createBlockGraph,
  type Diagnostic,
  type OpenOptions,
  parseKeyValue,
} from '@blocklayer/block-core'
import { run } from '../../scripts/lib/workspace.ts'
import type { Row } from './rows.ts'

/** What became of one description. */
export interface Outcome {
  /** What `info` says; `undefined` where the description cannot be opened. */
  readonly info: { readonly filename: string; readonly format: string; readonly length: number } | undefined
  /** Fingerprint of the content; `undefined` where it cannot be read. */
  readonly bytes: string | undefined
  /** All that went to stderr, of both. */
  readonly messages: string
}

const fingerprint = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

/** What the reference makes of `row` in `folder`. */
export function askReference(row: Row, folder: string): Outcome {
  const given = [
    ...(row.imageOpts === true ? ['--image-opts'] : []),
    ...(row.format === undefined ? [] : ['-f', row.format]),
  ]
  const info = run('qemu-img', ['info', '--output=json', ...given, row.text], folder)
  // `dd` reads every byte; `convert` would ask for the block status first.
  const noCopy = { code: 1, stdout: '', stderr: '' }
  const copy =
    row.unread === true
      ? noCopy
      : run('qemu-img', ['dd', ...given, '-O', 'raw', 'bs=64k', `if=${row.text}`, 'of=copied'], folder)
  const facts = info.code === 0 ? (JSON.parse(info.stdout) as Record<string, unknown>) : undefined
  const bytes = copy.code === 0 ? fingerprint(readFileSync(join(folder, 'copied'))) : undefined
  rmSync(join(folder, 'copied'), { force: true })
  return {
    info: facts && {
      filename: String(facts.filename),
      format: String(facts.format),
      length: Number(facts['virtual-size']),
    },
    bytes,
    messages: `info: ${info.stderr}copy: ${copy.stderr}`,
  }
}

/** What our library makes of `row` in the current folder. */
export async function askOurs(row: Row, drivers: readonly AnyDriver[]): Promise<Outcome> {
  const info = await inGraph(row, drivers, { noIo: true, noBacking: true }, async ({ root }) => ({
    filename: root.filename,
    format: root.driverName,
    length: root.length,
  }))
  const noCopy = { value: undefined, messages: '' }
  const copy =
    row.unread === true
      ? noCopy
      : await inGraph(row, drivers, {}, async (disk) => {
          const bytes = new Uint8Array(disk.length)
          const step = 2 ** 20
          for (let at = 0; at < bytes.length; at += step) await disk.read(at, bytes.subarray(at, at + step))
          return fingerprint(bytes)
        })
  return { info: info.value, bytes: copy.value, messages: `info: ${info.messages}copy: ${copy.messages}` }
}

async function inGraph<T>(
  row: Row,
  drivers: readonly AnyDriver[],
  mode: OpenOptions,
  use: (disk: Awaited<ReturnType<BlockGraph['open']>>) => Promise<T>,
): Promise<{ value: T | undefined; messages: string }> {
  let messages = ''
  const say = ({ kind, text }: Diagnostic): void => {
    const prefix = { warning: 'qemu-img: warning: ', error: 'qemu-img: ', line: '' }[kind]
    messages += `${prefix}${text}\n`
  }
  const graph = createBlockGraph({ drivers, implicitOpen: 'allow', onDiagnostic: say })
  try {
    const image =
      row.imageOpts === true
        ? parseKeyValue(row.text, { impliedKey: 'file', onDeprecated: (text) => say({ kind: 'warning', text }) })
        : row.text
    const disk = await graph.open(image, { ...mode, readOnly: true, format: row.format })
    return { value: await use(disk), messages }
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const hint = error.hint === undefined ? '' : `${error.hint}\n`
    return {
      value: undefined,
      messages: `${messages}qemu-img: Could not open '${row.text}': ${error.message}\n${hint}`,
    }
  } finally {
    await graph.close()
  }
}
