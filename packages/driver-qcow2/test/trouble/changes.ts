/** Changes of an image as a whole, done to the disk and to the model. */

import {
  amendImage,
  applySnapshot,
  changeBackingFile,
  changeDirtyBitmap,
  createSnapshot,
  deleteSnapshot,
  snapshotsOf,
} from '@blocklayer/block-core'
import type { CheckResult } from '@blocklayer/block-core/driver'
import { sectorBytes, sectorsOf } from './model.ts'
import { type MadeSnapshot, Violation } from './patient.ts'
import type { Action } from './requests.ts'

const snapshotsMax = 5

const snapshot: Action = async (patient) => {
  const { opened, model, shape, snapshots } = patient
  if (shape.data || snapshots.length >= snapshotsMax) return 'nothing'
  const name = `s${patient.nextStamp()}`
  const made: MadeSnapshot = { name, model: model.copy(), sure: false }
  const error = await patient.attempt('snapshot', () => createSnapshot(opened.disk, { name }))
  const isThere = snapshotsOf(opened.disk).some((found) => found.name === name)
  if (error === undefined && !isThere) throw new Violation(`snapshot ${name} was made, and is not there`)
  if (error === undefined) model.flushed()
  made.sure = error === undefined
  snapshots.push(made)
  return `${name} ${error?.code ?? ''} ${isThere ? 'is there' : ''}`
}

const apply: Action = async (patient) => {
  const there = patient.presentSnapshots
  if (there.length === 0) return 'nothing'
  const chosen = patient.choose.pick(there)
  const { opened, model } = patient
  const error = await patient.attempt('apply', () => applySnapshot(opened.disk, chosen.name))
  // Nobody could say what a bitmap would have to record.
  if (error?.code === 'EBUSY') return error.code
  model.resize(opened.disk.length / sectorBytes)
  for (let at = 0; at < model.sectors; at++) {
    model.set(at, 1, at < chosen.model.sectors ? chosen.model.allowed(at) : [0], error !== undefined)
  }
  if (error === undefined) model.flushed()
  return `${chosen.name} ${error?.code ?? ''}`
}

const remove: Action = async (patient) => {
  const there = patient.presentSnapshots
  if (there.length === 0) return 'nothing'
  const chosen = patient.choose.pick(there)
  const error = await patient.attempt('delete', () => deleteSnapshot(patient.opened.disk, chosen.name))
  chosen.sure = false
  if (error === undefined) {
    patient.model.flushed()
    patient.snapshots = patient.snapshots.filter((other) => other !== chosen)
  }
  return `${chosen.name} ${error?.code ?? ''}`
}

const truncate: Action = async (patient) => {
  const { choose, model, opened } = patient
  const old = model.sectors
  const wanted = choose.chance(0.5) ? old + choose.below(200) : Math.max(1, old - choose.below(150))
  const preallocation =
    wanted > old && choose.chance(0.3) ? choose.pick(['metadata', 'falloc', 'full'] as const) : 'off'
  const error = await patient.attempt('truncate', () => opened.disk.truncate(wanted * sectorBytes, { preallocation }))
  const length = opened.disk.length / sectorBytes
  if (length !== wanted && (error === undefined || length !== old)) {
    throw new Violation(`the disk has ${length} sectors after the change from ${old} to ${wanted}`)
  }
  model.resize(length)
  for (const sector of patient.bitmap?.dirty ?? []) if (sector >= length) patient.bitmap?.dirty.delete(sector)
  return `${old} to ${wanted} ${preallocation} ${error?.code ?? ''}`
}

const amend: Action = async (patient) => {
  const options = patient.choose.pick<Readonly<Record<string, string | number | boolean>>>([
    { refcount_bits: patient.choose.pick([4, 8, 16, 32, 64]) },
    { refcount_bits: 16 },
    { lazy_refcounts: true },
    { lazy_refcounts: false },
    { compat: '1.1' },
    { compat: '0.10' },
  ])
  const error = await patient.attempt('amend', () => amendImage(patient.opened.disk, options))
  return `${JSON.stringify(options)} ${error?.message ?? ''}`
}

const vmstate: Action = async (patient) => {
  const { choose, opened, shape } = patient
  if (shape.data) return 'nothing'
  const offset = choose.below(20) * sectorBytes
  const data = sectorsOf(patient.nextStamp(), 1 + choose.below(30))
  return (await patient.attempt('vmstate', () => opened.disk.writeVmState(offset, data)))?.code ?? ''
}

const check: Action = async (patient) => {
  const { choose, opened, weather } = patient
  const repair = choose.pick(['none', 'leaks', 'all'] as const)
  const { isMarked } = patient
  const said = opened.lines.length
  const failures = weather.failures
  let found: CheckResult | undefined
  const error = await patient.attempt('check', async () => {
    found = await opened.disk.check({ repair })
  })
  if (found !== undefined && weather.failures === failures) {
    const maySpeakOfFlags = isMarked || patient.mayHaveFlags || found.leaksFixed > 0
    judgeCheck(found, opened.lines.slice(said), maySpeakOfFlags)
  }
  if (repair !== 'none') patient.mayHaveFlags = error !== undefined || patient.shape.cuts
  return `${repair} ${error?.code ?? ''}`
}

/** Leaks are what failures leave; nothing else may be wrong, but for flags where those are excused. */
function judgeCheck(found: CheckResult, lines: readonly string[], maySpeakOfFlags: boolean): void {
  const { corruptions, corruptionsFixed, checkErrors } = found
  if (corruptions + corruptionsFixed + checkErrors === 0) return
  const isFlag = (line: string): boolean => line.includes('OFLAG_COPIED') || line.startsWith('Repairing cluster')
  const onlyFlags = lines.every((line) => !/^(ERROR|Repairing) /.test(line) || isFlag(line))
  if (maySpeakOfFlags && onlyFlags && checkErrors === 0) return
  throw new Violation(`a check of the open image found ${JSON.stringify(found)}: ${lines.slice(-8).join(' | ')}`)
}

const empty: Action = async (patient) => {
  const { model, opened, backingValues } = patient
  const error = await patient.attempt('empty', () => opened.disk.makeEmpty())
  for (let at = 0; at < model.sectors; at++) model.set(at, 1, [backingValues[at] ?? 0], error !== undefined)
  return error?.message ?? ''
}

const bitmap: Action = async (patient) => {
  const node = patient.opened.disk.root
  if (patient.bitmap === undefined) {
    const name = `b${patient.nextStamp()}`
    const added = { type: 'add', name, granularity: 512, persistent: true } as const
    const error = await patient.attempt('bitmap', () => changeDirtyBitmap(node, added))
    if (error === undefined) patient.bitmap = { name, dirty: new Set(), good: true }
    return `add ${error?.code ?? ''}`
  }
  const { name } = patient.bitmap
  const error = await patient.attempt('bitmap', () => changeDirtyBitmap(node, { type: 'remove', name }))
  if (error === undefined) patient.bitmap = undefined
  return `remove ${error?.code ?? ''}`
}

/** Another name for the backing file, which moves all that is behind the first sector of the header. */
const record: Action = async (patient) => {
  const { choose, opened, shape } = patient
  if (!shape.backing) return 'nothing'
  const filename = 'n'.repeat(choose.pick([1, 7, 200, 370, 380, 700, 1000]))
  const change = { filename, format: choose.pick(['qcow2', 'raw']) }
  const error = await patient.attempt('record', () => changeBackingFile(opened.disk.root, change))
  return `${filename.length} ${error?.code ?? ''}`
}

/** By name. */
export const changes: Readonly<Record<string, Action>> = {
  snapshot,
  apply,
  delete: remove,
  truncate,
  amend,
  vmstate,
  check,
  empty,
  bitmap,
  record,
}
