/** Requests of the guest, alone and side by side, done to the disk and to the model. */

import { sectorBytes, sectorsOf, valuesOf } from './model.ts'
import { type Patient, Violation } from './patient.ts'

/** Something that is done to an image. @returns what came of it, for the log */
export type Action = (patient: Patient) => Promise<string>

const write: Action = async (patient) => {
  const { first, count } = patient.range(patient.choose.chance(0.3))
  const stamp = patient.nextStamp()
  const fua = patient.choose.chance(0.05)
  const data = sectorsOf(stamp, count)
  const error = await patient.attempt('write', () => patient.opened.disk.write(first * sectorBytes, data, { fua }))
  patient.model.set(first, count, [stamp], error !== undefined)
  patient.touch(first, count)
  return `${first}+${count}=${stamp} ${error?.code ?? ''}`
}

const zero: Action = async (patient) => {
  const { first, count } = patient.range(patient.choose.chance(0.6))
  const mayUnmap = patient.choose.chance(0.5)
  const error = await patient.attempt('zero', () =>
    patient.opened.disk.writeZeroes(first * sectorBytes, count * sectorBytes, { mayUnmap }),
  )
  patient.model.set(first, count, [0], error !== undefined)
  patient.touch(first, count)
  return `${first}+${count} ${error?.code ?? ''}`
}

const discard: Action = async (patient) => {
  const { first, count } = patient.range(patient.choose.chance(0.8))
  const error = await patient.attempt('discard', () =>
    patient.opened.disk.discard(first * sectorBytes, count * sectorBytes),
  )
  // What cannot be discarded stays.
  patient.model.set(first, count, [0], true)
  return `${first}+${count} ${error?.code ?? ''}`
}

const compressed: Action = async (patient) => {
  const { first, count } = patient.range(true)
  const stamp = patient.nextStamp()
  const error = await patient.attempt('compressed', () =>
    patient.opened.disk.writeCompressed(first * sectorBytes, sectorsOf(stamp, count)),
  )
  patient.model.set(first, count, [stamp], error !== undefined)
  if (error === undefined) patient.touch(first, count)
  return `${first}+${count}=${stamp} ${error?.code ?? ''}`
}

const flush: Action = async (patient) => {
  const error = await patient.attempt('flush', () => patient.opened.disk.flush())
  if (error === undefined) patient.model.flushed()
  return error?.code ?? ''
}

const read: Action = async (patient) => {
  const { first, count } = patient.range(false)
  const bytes = new Uint8Array(count * sectorBytes)
  const error = await patient.attempt('read', () => patient.opened.disk.read(first * sectorBytes, bytes))
  if (error !== undefined) return error.code
  patient.see(first, valuesOf(bytes), `read ${first}+${count}`)
  return ''
}

/** One of several requests at a time. */
interface Part {
  readonly kind: string
  readonly first: number
  readonly count: number
  readonly stamp: number
  /** What is read. */
  readonly into: Uint8Array
}

const changing = new Set(['write', 'zero', 'discard', 'compressed'])

/** Several at a time; where they meet, any of them may have been last. */
const together: Action = async (patient) => {
  const { choose, model, opened } = patient
  // Machine state that is written while the disk grows lands where the disk is to be.
  const last = choose.pick(['grow', 'vmstate'])
  const kinds = ['write', 'write', 'write', 'write', 'zero', 'discard', 'read', 'read', 'compressed', 'flush', 'status']
  const parts = Array.from({ length: 2 + choose.below(5) }, (_, index): Part => {
    const range = patient.range(choose.chance(0.4))
    const kind = index === 0 && choose.chance(0.3) ? choose.pick(['check', last]) : choose.pick(kinds)
    return { ...range, kind, stamp: patient.nextStamp(), into: new Uint8Array(range.count * sectorBytes) }
  })
  const errors = await Promise.all(parts.map((part) => patient.attempt(part.kind, () => run(patient, part))))
  parts.forEach((part, index) => {
    if (part.kind === 'read' && errors[index] === undefined) judgeRead(patient, part, parts)
  })
  model.resize(opened.disk.length / sectorBytes)
  parts.forEach((part, index) => {
    const { kind, first, count, stamp } = part
    if (!changing.has(kind)) return
    const isAlone = parts.every((other) => other === part || !changing.has(other.kind) || !meet(part, other))
    const value = kind === 'write' || kind === 'compressed' ? stamp : 0
    model.set(first, count, [value], !isAlone || errors[index] !== undefined || kind === 'discard')
    if (kind !== 'discard' && errors[index] === undefined) patient.touch(first, count)
  })
  return parts
    .map(({ kind, first, count, stamp }, index) => `${kind} ${first}+${count}=${stamp} ${errors[index]?.code ?? ''}`)
    .join(', ')
}

function meet(one: Part, other: Part): boolean {
  return one.first < other.first + other.count && other.first < one.first + one.count
}

function run(patient: Patient, { kind, first, count, stamp, into }: Part): Promise<unknown> {
  const { disk } = patient.opened
  const offset = first * sectorBytes
  switch (kind) {
    case 'write':
      return disk.write(offset, sectorsOf(stamp, count))
    case 'compressed':
      return disk.writeCompressed(offset, sectorsOf(stamp, count))
    case 'zero':
      return disk.writeZeroes(offset, into.length, { mayUnmap: stamp % 2 === 0 })
    case 'discard':
      return disk.discard(offset, into.length)
    case 'flush':
      return disk.flush()
    case 'status':
      return disk.blockStatus(offset, into.length)
    case 'grow':
      return disk.truncate((patient.model.sectors + count) * sectorBytes)
    case 'vmstate':
      return disk.writeVmState(offset, sectorsOf(stamp, 1 + (count % 40)))
    case 'check': {
      const repair = patient.choose.pick(['none', 'leaks', 'all'] as const)
      patient.mayHaveFlags ||= repair !== 'none'
      return disk.check({ repair })
    }
    default:
      return disk.read(offset, into)
  }
}

/** A read beside writes gives what was there, or what they write; of a sector that is being written also a mixture. */
function judgeRead({ model }: Patient, { first, into }: Part, parts: readonly Part[]): void {
  valuesOf(into).forEach((value, index) => {
    const sector = first + index
    const others = parts.filter((part) => part.first <= sector && sector < part.first + part.count)
    const written = others.map(({ kind, stamp }) => (kind === 'write' || kind === 'compressed' ? stamp : 0))
    const allowed = [...model.allowed(sector), ...written, -1]
    if (!allowed.includes(value)) {
      throw new Violation(`read beside others: sector ${sector} shows ${value}, allowed: ${allowed.join(' ')}`)
    }
  })
}

/** By name. */
export const requests: Readonly<Record<string, Action>> = { write, zero, discard, compressed, flush, read, together }
