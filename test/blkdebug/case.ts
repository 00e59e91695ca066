// A test case of blkdebug: a node as options, and the requests that it gets. Random ones come from a seed.
import type { BlkdebugEvent } from '@blocklayer/block-core/driver'
import type { Random } from '@blocklayer/block-core/testing'

/** One request; `fua` is a write that is durable when it ends, so that a flush that fails can be seen. */
export interface Request {
  readonly kind: 'write' | 'fua' | 'compressed' | 'read' | 'zero' | 'discard' | 'status'
  readonly offset: number
  readonly bytes: number
}

/** Options of the blkdebug node but for its image, as a `json:` file name has them, and what the node is asked. */
export interface Case {
  readonly options: Readonly<Record<string, unknown>>
  readonly requests: readonly Request[]
}

/** Bytes of the image. */
export const imageBytes: number = 1 << 20

/** Events that the generic layer or a raw node announces: those alone, so that both sides get the same ones. */
const events: readonly BlkdebugEvent[] = [
  'none',
  'read_aio',
  'write_aio',
  'pwritev',
  'pwritev_zero',
  'pwritev_done',
  'pwritev_rmw_head',
  'pwritev_rmw_after_head',
  'pwritev_rmw_tail',
  'pwritev_rmw_after_tail',
  'flush_to_os',
  'flush_to_disk',
  // Named by many rules, announced by nobody here.
  'l2_load',
]

const ioTypes = ['read', 'write', 'write-zeroes', 'discard', 'flush', 'block-status']
const errnos = [0, 1, 5, 11, 16, 22, 28]
const sizes = [1, 511, 512, 4096, 4097, 16_384, 70_000]
const places = [0, 0, 512, 4096, 4100, 65_536, 524_288]

/** A node with one to five rules and sometimes limits, and up to eight requests, all within the first sectors. */
export function randomCase(choose: Random): Case {
  const options: Record<string, unknown> = {}
  const some = <T>(make: () => T, max: number): T[] => Array.from({ length: choose.below(max + 1) }, make)
  const injectError = some(() => randomInjectError(choose), 3)
  const setState = some(() => randomSetState(choose), 2)
  if (injectError.length > 0) options['inject-error'] = injectError
  if (setState.length > 0) options['set-state'] = setState
  if (choose.chance(0.4)) Object.assign(options, randomLimits(choose))
  return { options, requests: Array.from({ length: 3 + choose.below(6) }, () => randomRequest(choose)) }
}

function randomInjectError(choose: Random): object {
  return {
    event: choose.pick(events),
    ...(choose.chance(0.4) ? { state: choose.below(4) } : {}),
    ...(choose.chance(0.5) ? { iotype: choose.pick(ioTypes) } : {}),
    ...(choose.chance(0.6) ? { errno: choose.pick(errnos) } : {}),
    ...(choose.chance(0.3) ? { sector: choose.pick([0, 1, 7, 8, 9, 128, 1024]) } : {}),
    ...(choose.chance(0.5) ? { once: choose.chance(0.7) } : {}),
    ...(choose.chance(0.3) ? { immediately: choose.chance(0.5) } : {}),
  }
}

function randomSetState(choose: Random): object {
  const state = choose.chance(0.7) ? { state: choose.below(4) } : {}
  return { event: choose.pick(events), ...state, new_state: choose.below(4) }
}

function randomLimits(choose: Random): object {
  const align = choose.pick([0, 1, 512, 4096])
  const unit = Math.max(align, 1) * choose.pick([1, 2, 4])
  return {
    align,
    ...(choose.chance(0.5) ? { 'max-transfer': unit * 8 } : {}),
    ...(choose.chance(0.5) ? { 'opt-write-zero': unit, 'max-write-zero': unit * choose.pick([1, 4]) } : {}),
    ...(choose.chance(0.5) ? { 'opt-discard': unit, 'max-discard': unit * choose.pick([1, 4]) } : {}),
  }
}

function randomRequest(choose: Random): Request {
  const kind = choose.pick(['write', 'write', 'fua', 'read', 'zero', 'discard', 'status'] as const)
  return { kind, offset: choose.pick(places), bytes: kind === 'status' ? 512 : choose.pick(sizes) }
}

/** A node's `json:` file name. */
export function jsonName(options: Readonly<Record<string, unknown>>, image: string, format: string): string {
  const file = { driver: 'blkdebug', ...options, image: { driver: 'file', filename: image } }
  return `json:${JSON.stringify(format === '' ? file : { driver: format, file })}`
}
