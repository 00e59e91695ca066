/** What dirty bitmaps cost: marking, looking for what is dirty, merging, and memory. */
import { DirtyBitmap } from '@blocklayer/block-core'
import { seededRandom } from '../../lib/random.ts'
import { median } from '../measure.ts'

const TiB: number = 2 ** 40
const granularity = 65536
const count = 1_000_000

/** Prints nanoseconds per operation. */
export function benchBitmaps(runs: number): void {
  const memory = new DirtyBitmap({ length: 100 * TiB, granularity }).memoryBytes / 2 ** 20
  console.log(`dirty bitmaps of 64 KiB granules, ${runs} runs, medians; 100 TiB take ${memory.toFixed(1)} MiB`)
  const random = seededRandom(1)
  const places = Float64Array.from({ length: count }, () => Math.floor(random() * 10 * TiB))
  const filled = new DirtyBitmap({ length: 10 * TiB, granularity })
  for (const place of places) filled.markDirty(place, 4096)
  line('mark 4 KiB anywhere in 10 TiB', runs, () => {
    const bitmap = new DirtyBitmap({ length: 10 * TiB, granularity })
    return timed(count, () => {
      for (let i = 0; i < count; i++) bitmap.markDirty(places[i]!, 4096)
    })
  })
  line('find the next of 1,000,000 runs', runs, () => {
    let runsSeen = 0
    const perRun = timed(1, () => {
      for (let at = filled.nextDirtyArea(0); at !== undefined; at = filled.nextDirtyArea(at.offset + at.bytes))
        runsSeen++
    })
    return perRun / runsSeen
  })
  line('mark 1 GiB and clear it again', runs, () => {
    const bitmap = new DirtyBitmap({ length: 10 * TiB, granularity })
    return timed(10_000, () => {
      for (let i = 0; i < 10_000; i++) {
        bitmap.markDirty(i * 2 ** 30, 2 ** 30)
        bitmap.reset(i * 2 ** 30, 2 ** 30)
      }
    })
  })
  line('merge 10 TiB with 1,000,000 runs', runs, () => {
    const bitmap = new DirtyBitmap({ length: 10 * TiB, granularity })
    return timed(1, () => bitmap.merge(filled))
  })
}

function line(name: string, runs: number, run: () => number): void {
  run()
  const each = median(Array.from({ length: runs }, run))
  console.log(`  ${name.padEnd(34)} ${each < 1000 ? `${each.toFixed(0)} ns` : `${(each / 1e6).toFixed(2)} ms`}`)
}

/** Nanoseconds for one of `times`. */
function timed(times: number, work: () => void): number {
  const start = performance.now()
  work()
  return ((performance.now() - start) * 1e6) / times
}
