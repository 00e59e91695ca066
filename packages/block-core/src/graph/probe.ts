/** Guesses a format from an image's first sector. */

import type { AnyDriver } from '../driver/block-driver.ts'
import { BlockError, toBlockError } from '../errors.ts'
import { readNode } from '../io/read.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { GraphCore } from './graph-core.ts'

const probeBytes = 512

/** The format of what has no other: chosen without looking for an empty image. */
const fallbackFormat = 'raw'

/**
 * The driver with the highest score; among equals the one listed first.
 *
 * @throws BlockError `ENOENT` where no driver of the graph knows the image
 */
export function probeHead(drivers: readonly AnyDriver[], head: Uint8Array, filename: string | undefined): AnyDriver {
  let best: AnyDriver | undefined
  let bestScore = 0
  for (const driver of drivers) {
    const score = driver.probe?.(head, filename) ?? 0
    if (score > bestScore) {
      best = driver
      bestScore = score
    }
  }
  if (best === undefined) {
    throw new BlockError('ENOENT', 'Could not determine image format: No compatible driver found')
  }
  return best
}

/** Reads the first sector of `file` and guesses. @see spec/block-layer.md, section 5 */
export async function probeFormat(core: GraphCore, file: GraphNode): Promise<AnyDriver> {
  const fallback = core.drivers.find((driver) => driver.formatName === fallbackFormat)
  if (file.length === 0 && fallback !== undefined) return fallback
  const head = new Uint8Array(probeBytes)
  try {
    await readNode(file, 0, head)
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Could not read image for determining its format', {
      cause: error,
    })
  }
  return probeHead(core.drivers, head, file.filename)
}

/** Whether `driver` is what an image of no known format is taken for. */
export function isFallback(driver: AnyDriver): boolean {
  return driver.formatName === fallbackFormat
}

/** The three lines that warn of a writable image whose format was guessed to be no format at all. */
export function warnOfGuess(core: GraphCore, filename: string, driver: AnyDriver): void {
  if (!isFallback(driver)) return
  const lines = [
    `WARNING: Image format was not specified for '${filename}' and probing guessed raw.`,
    '         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be restricted.',
    "         Specify the 'raw' format explicitly to remove the restrictions.",
  ]
  for (const text of lines) core.diagnostic({ kind: 'line', text })
}
