/** Changing mappings while no data is on its way to the clusters concerned. */

import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { InFlightWrites } from './in-flight.ts'

/** What a change has to keep away from. */
export interface ExclusiveParts {
  readonly lock: MetadataLock
  readonly inFlight: InFlightWrites
}

/**
 * Runs `change` with the metadata lock held and no write under way in the guest range: the host clusters that it gives
 * up must not be the target of data that is still on its way. New writes wait for the lock.
 *
 * @param start - first guest byte
 * @param end - end of the range
 */
export async function exclusively<Result>(
  { lock, inFlight }: ExclusiveParts,
  start: number,
  end: number,
  change: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const wait = lock.acquire()
    if (wait !== undefined) await wait
    let conflict: Promise<void>
    try {
      if (!inFlight.touches(start, end)) return await change()
      conflict = inFlight.wait(start, end)
    } finally {
      lock.release()
    }
    await conflict
  }
}
