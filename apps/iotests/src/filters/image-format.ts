/** Hides the image format under test, so that one golden file serves all formats. */

import type { Filter } from './filter.ts'

/** Replaces the format's name, where it stands as a word of its own, by `IMGFMT`: `qcow` leaves `qcow2` alone. */
export function imageFormatFilter(format: string): Filter {
  const word = new RegExp(`(?<![\\w-])${format}(?![\\w-])`, 'g')
  return (text) => text.replace(word, 'IMGFMT')
}
