/** Amending an image: everything is judged first, then done step by step, each step whole or not at all. */

import type { AmendJob, NodeBitmaps } from '@blocklayer/block-core/driver'
import { autoclear, compatible, withFeature, withoutFeature } from '../../format/features.ts'
import { nameBytes } from '../../format/header-extension.ts'
import { type DowngradeParts, downgrade } from './downgrade.ts'
import { type AmendPlan, planAmend, type Qcow2AmendOptions } from './options.ts'
import { AmendProgress } from './progress.ts'
import { changeRefcountOrder, type RefcountOrderParts } from './refcount-order.ts'
import { upgrade } from './upgrade.ts'

/** What amending is made of. */
export interface AmendParts extends DowngradeParts, RefcountOrderParts {
  readonly nodeBitmaps: NodeBitmaps
}

/**
 * Changes what the image was created with. No request runs meanwhile; the metadata lock is free on entry.
 *
 * @throws BlockError with the reference's message; a wrong option is found before anything has changed
 * @see QEMU 7.2 block/qcow2.c: qcow2_amend_options; spec/qcow2.md, section 3.16
 */
export async function amendImage(parts: AmendParts, options: Qcow2AmendOptions, job: AmendJob): Promise<void> {
  const { header, extensions } = parts.header
  const hasBitmaps = extensions.bitmaps !== undefined || parts.nodeBitmaps.list().some(({ persistent }) => persistent)
  const plan = planAmend(options, { header, extensions, snapshots: parts.state.snapshots.entries, hasBitmaps })
  const progress = new AmendProgress(job)
  const { upgrade: upgrades, lazyRefcounts, size } = plan
  progress.expect([upgrades, lazyRefcounts, size].filter((step) => step !== undefined && step !== false).length)
  if (upgrades) {
    await upgrade(parts)
    progress.step()
  }
  if (plan.refcountOrder !== undefined) await changeRefcountOrder(parts, plan.refcountOrder, progress)
  if (plan.dataFile !== undefined || plan.dropsRaw) await changeDataFile(parts, plan)
  if (lazyRefcounts !== undefined && parts.header.header.version >= 3) {
    await setLazyRefcounts(parts, lazyRefcounts)
    progress.step()
  }
  if (size !== undefined) {
    await job.truncate(size)
    progress.step()
  }
  if (plan.downgrade) await downgrade(parts, progress)
}

/** What the header says of the data file; the file that is open stays the one that is used. */
async function changeDataFile({ lock, header }: AmendParts, plan: AmendPlan): Promise<void> {
  const { dataFile } = header.extensions
  const { autoclearFeatures } = header.header
  const named = plan.dataFile === undefined ? dataFile : nameBytes(plan.dataFile === '' ? undefined : plan.dataFile)
  const features = plan.dropsRaw ? withoutFeature(autoclearFeatures, autoclear.rawExternalData) : autoclearFeatures
  const change = { header: { autoclearFeatures: features }, extensions: { dataFile: named } }
  await lock.run(() => header.rewriteLayout(change))
}

/** Whether refcounts may be left behind from now on. */
async function setLazyRefcounts({ lock, caches, header, state }: AmendParts, lazy: boolean): Promise<void> {
  const change = lazy ? withFeature : withoutFeature
  await lock.run(async () => {
    if (!lazy) {
      state.useLazyRefcounts = false
      await caches.markClean()
    }
    const { compatibleFeatures } = header.header
    await header.rewriteLayout({
      header: { compatibleFeatures: change(compatibleFeatures, compatible.lazyRefcounts) },
    })
    state.useLazyRefcounts = lazy
  })
}
