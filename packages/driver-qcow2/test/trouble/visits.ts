/** Closing, power cuts and reopenings: what is left of an image is judged, and gone on with. */

import { dirtyBitmapFacts, Permissions, showSnapshot, snapshotsOf } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { checkStore, openDisk, readAll } from '../helpers/disk.ts'
import { TroubledStore } from './disk.ts'
import { sectorBytes, valuesOf } from './model.ts'
import { type Patient, Violation } from './patient.ts'

/** Closes the image and looks at what it leaves. @returns what was said meanwhile */
export async function closeAndLook(patient: Patient, what: string): Promise<string> {
  const { weather, opened } = patient
  const failures = weather.failures
  const { isDead } = patient
  if (!isDead && patient.choose.chance(0.7)) await seeAlive(patient, `${what}, still open`)
  const error = await patient.attempt('close', () => opened.close())
  patient.requireNoCorruption()
  // There may be no room for them in the first cluster.
  const isSaid = opened.lines.some((line) => line.includes('Lost persistent bitmaps'))
  if (isSaid && patient.bitmap !== undefined) patient.bitmap.good = false
  const lost = isDead || error !== undefined || weather.failures > failures
  weather.calm()
  await look(patient, { image: patient.store.bytes(), data: patient.data?.bytes(), lost, what })
  return `${error?.code ?? ''} ${isDead ? 'dead' : ''}`
}

/** The open image must show what its next reader will see. */
async function seeAlive(patient: Patient, what: string): Promise<void> {
  let bytes: Uint8Array | undefined
  await patient.attempt('read', async () => {
    bytes = await readAll(patient.opened.disk)
  })
  if (bytes !== undefined) patient.see(0, valuesOf(bytes), what)
}

/** Cuts the power. */
export async function cut(patient: Patient): Promise<string> {
  const image = patient.store.cut(patient.choose)
  const data = patient.data?.cut(patient.choose)
  patient.weather.calm()
  await patient.attempt('close', () => patient.opened.close())
  await look(patient, { image, data, lost: true, what: 'after a power cut' })
  return ''
}

/** What is left. */
interface Remains {
  readonly image: Uint8Array
  readonly data: Uint8Array | undefined
  /** What was not flushed may be gone. */
  readonly lost: boolean
  readonly what: string
}

async function look(patient: Patient, { image, data, lost, what }: Remains): Promise<void> {
  patient.store = new TroubledStore(image, patient.weather)
  patient.data = data === undefined ? undefined : new TroubledStore(data, patient.weather)
  const isDirty = patient.version === 3 && patient.isMarked
  if (!isDirty) await requireSound(patient, what)
  await reopen(patient, what)
  if (isDirty) {
    await patient.opened.close()
    await requireSound(patient, `${what}, repaired`)
    await reopen(patient, what)
  }
  patient.requireNoCorruption()
  if (lost) patient.model.cut(patient.opened.disk.length / sectorBytes)
  patient.see(0, valuesOf(await readAll(patient.opened.disk)), what)
  patient.model.flushed()
  judgeBitmap(patient, lost, what)
  await judgeSnapshots(patient, what)
}

async function reopen(patient: Patient, what: string): Promise<void> {
  try {
    await patient.open()
  } catch (error) {
    throw new Violation(`${what}, it cannot be opened: ${error}`)
  }
}

/** A check finds leaks at most. */
async function requireSound(patient: Patient, what: string): Promise<void> {
  const { store, data } = patient
  const copy = data === undefined ? undefined : new MemoryStore(data.bytes())
  const { lines, ...found } = await checkStore(new MemoryStore(store.bytes()), copy)
  patient.mayHaveFlags ||= patient.version === 2
  const errors = lines.filter((line) => line.startsWith('ERROR'))
  const isExcused = patient.mayHaveFlags && errors.every((line) => line.includes('OFLAG_COPIED'))
  if ((found.corruptions > 0 && !isExcused) || found.checkErrors > 0) {
    throw new Violation(`${what}: ${JSON.stringify(found)}: ${[...errors, ...lines].slice(0, 12).join(' | ')}`)
  }
}

/** It is there, with all that was written, after a close that went well. */
function judgeBitmap(patient: Patient, lost: boolean, what: string): void {
  if (patient.bitmap === undefined) return
  const { name, dirty, good } = patient.bitmap
  const facts = dirtyBitmapFacts(patient.opened.disk.root).find((fact) => fact.name === name)
  const isGood = facts !== undefined && facts.inconsistent !== true
  if (good && !lost) {
    if (!isGood) throw new Violation(`${what}: the bitmap is ${facts === undefined ? 'gone' : 'inconsistent'}`)
    const wanted = [...dirty].filter((sector) => sector < patient.model.sectors).length * sectorBytes
    if (facts.count < wanted) throw new Violation(`${what}: the bitmap has ${facts.count} bytes, wanted ${wanted}`)
  }
  patient.bitmap = facts === undefined ? undefined : { name, dirty: new Set(), good: isGood }
}

async function judgeSnapshots(patient: Patient, what: string): Promise<void> {
  const names = snapshotsOf(patient.opened.disk).map(({ name }) => name)
  const missing = patient.snapshots.find(({ name, sure }) => sure && !names.includes(name))
  if (missing !== undefined) throw new Violation(`${what}: snapshot ${missing.name} is gone`)
  const known = new Set(patient.snapshots.map(({ name }) => name))
  const stray = names.find((name) => !known.has(name))
  if (stray !== undefined) throw new Violation(`${what}: snapshot ${stray} has come back`)
  patient.snapshots = patient.snapshots.filter(({ name }) => names.includes(name))
  for (const snapshot of patient.snapshots) {
    snapshot.sure = true
    const copy = new MemoryStore(patient.store.bytes())
    await using shown = await openDisk(copy, { readOnly: true, backing: patient.backing })
    await showSnapshot(shown.disk, snapshot.name)
    const values = valuesOf(await readAll(shown.disk)).slice(0, snapshot.model.sectors)
    const wrong = snapshot.model.see(0, values)
    if (wrong !== undefined) throw new Violation(`${what}: snapshot ${snapshot.name}: ${wrong}`)
  }
}

/** Makes the image read-only, and writable again. */
export async function switchMode(patient: Patient): Promise<string> {
  const { disk, graph } = patient.opened
  const before = disk.permissions
  disk.setPermissions({ taken: Permissions.consistentRead, shared: before.shared })
  const set = (on: boolean): Promise<void> =>
    graph.reopen([{ node: disk.root, options: new Map([['read-only', on]]), keepOld: true }])
  const results = [await patient.attempt('readonly', () => set(true))]
  if (patient.isDead) throw BlockError.fromErrno('ENOMEDIUM')
  results.push(await patient.attempt('writable', () => set(false)))
  if (patient.isDead) throw BlockError.fromErrno('ENOMEDIUM')
  const said = results.map((error) => error?.code ?? 'done').join(', ')
  if (disk.root.readOnly) {
    // The bit that vouches for bitmaps may be off already.
    if (patient.bitmap !== undefined) patient.bitmap.good = false
    return `${said}, ${await closeAndLook(patient, 'read-only')}`
  }
  if (results[1] !== undefined) {
    // Not fit to be written until this succeeds.
    patient.weather.calm()
    await patient.attempt('writable', () => set(false))
  }
  disk.setPermissions(before)
  return said
}
