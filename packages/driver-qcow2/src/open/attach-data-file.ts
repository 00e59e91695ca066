/** Opening the file that holds the guest's data, where that is not the image's own. */

import { BlockError, ChildRoles, type OpenContext } from '@blocklayer/block-core/driver'
import { autoclear, hasFeature } from '../format/features.ts'
import { nameText } from '../format/header-extension.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { Qcow2Options } from './options.ts'

/** What of an image being opened is looked at. */
export interface DataFileParts {
  readonly data: DataFile
  readonly header: HeaderStore
  readonly options: Qcow2Options
}

/**
 * Opens the data file: the one that the user describes, else the one that the image names. Who only asks for metadata
 * needs none, and gets none.
 *
 * @throws BlockError with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_do_open; spec/qcow2.md, section 1.2, step 23
 */
export async function attachDataFile(context: OpenContext, { data, header, options }: DataFileParts): Promise<void> {
  if (context.flags.noIo) return
  const name = 'data-file'
  const { dataFile: described } = options
  const given = described === undefined ? undefined : await context.attach(name, ChildRoles.data, described)
  if (!data.isExternal) {
    if (given !== undefined) {
      throw new BlockError('EINVAL', "'data-file' can only be set for images with an external data file")
    }
    if (hasFeature(header.header.autoclearFeatures, autoclear.rawExternalData)) {
      throw new BlockError('EINVAL', 'data-file-raw requires a data file')
    }
    return
  }
  const filename = nameText(header.extensions.dataFile)
  if (given === undefined && filename === undefined) {
    throw new BlockError('EINVAL', "'data-file' is required for this image")
  }
  const recorded = { as: 'data-file', filename: filename ?? '' } as const
  data.attach(given ?? (await context.attachRecorded(name, ChildRoles.data, recorded)))
  // No guest data is in the image's own file: nobody need be kept from reading that while the guest writes.
  context.changeRole('file', ChildRoles.metadata | ChildRoles.primary)
}
