/** Keeps others from doing to a job's nodes what would surprise it. */

import { type BlockNode, blockOperationsOn, chainImagesOf } from '@blocklayer/block-core'

/**
 * Keeps every operation from the images from `top` down to `base`, but for moving `top` to another event loop.
 *
 * @param type - whom refusals name: `Node 'x' is busy: block device is in use by block job: commit`
 * @returns what ends it
 * @see spec/jobs.md, section 15
 */
export function blockNodes(top: BlockNode, base: BlockNode, type: string): () => void {
  const images = chainImagesOf(top)
  const reason = `block device is in use by block job: ${type}`
  const ends = images
    .slice(0, images.indexOf(base) + 1)
    .map((image, index) => blockOperationsOn(image, reason, index === 0 ? ['dataplane'] : []))
  return () => {
    for (const end of ends) end()
  }
}
