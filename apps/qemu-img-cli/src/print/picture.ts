/** A picture of an open image, on standard output. */

import type { BlockBackend, JobOptions } from '@blocklayer/block-core'
import type { PictureForm } from '../args/common.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Draws the image.
 *
 * @throws BlockError where its metadata cannot be read; `signal.reason`
 */
export async function printPicture(
  terminal: Terminal,
  disk: BlockBackend,
  { form, ...job }: JobOptions & { readonly form: PictureForm },
): Promise<void> {
  // Loaded only where somebody wants to look.
  const { collectPicture, pictureHtml, pictureSvg } = await import('@blocklayer/qemu-img')
  const picture = await collectPicture(disk, job)
  terminal.out(form === 'svg' ? pictureSvg(picture) : pictureHtml(picture))
}
