/** Recording another backing file in the header. */

import { BlockError } from '@blocklayer/block-core/driver'
import { limits } from '../format/constants.ts'
import { nameBytes } from '../format/header-extension.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { HeaderStore } from '../metadata/header-store.ts'

/**
 * Records `backing`, durably; `undefined` for none.
 *
 * @throws BlockError `EINVAL` for a name of more than 1023 bytes and with a raw data file, `ENOSPC` where the first cluster is too small for it
 * @see QEMU 7.2 block/qcow2.c: qcow2_change_backing_file
 */
export async function changeBacking(
  parts: { readonly data: DataFile; readonly header: HeaderStore },
  backing: { readonly filename: string; readonly format: string | undefined } | undefined,
): Promise<void> {
  const backingFile = nameBytes(backing?.filename)
  const backingFormat = nameBytes(backing?.format)
  // A raw data file holds all that the guest sees.
  if (parts.data.isRaw && backing !== undefined) throw BlockError.fromErrno('EINVAL')
  if ((backingFile?.length ?? 0) > limits.backingNameBytes) throw BlockError.fromErrno('EINVAL')
  if ((backingFormat?.length ?? 0) > limits.backingFormatBytes) throw BlockError.fromErrno('EINVAL')
  await parts.header.rewriteLayout({ extensions: { backingFile, backingFormat } })
}
