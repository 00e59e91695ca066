/** Which filters belong to which command. */

import { filterCheck } from './check.ts'
import { chain, type Filter } from './filter.ts'
import { filterImgCreate } from './img-create.ts'
import { filterImgInfo } from './img-info.ts'
import { filterMap } from './map.ts'
import { filterProgress } from './progress.ts'
import { filterQemuIo } from './qemu-io.ts'

/** The programs under test, by the reference's names. */
export type Program = 'qemu-img' | 'qemu-io'

const bySubcommand: ReadonlyMap<string, Filter> = new Map([
  ['check', filterCheck],
  ['commit', filterProgress],
  ['convert', filterProgress],
  ['create', filterImgCreate],
  ['info', filterImgInfo],
  ['map', filterMap],
])

/** The filter for the output of one command line; text that no filter knows passes unchanged. */
export function filterForCommand(program: Program, args: readonly string[]): Filter {
  return (program === 'qemu-io' ? filterQemuIo : bySubcommand.get(args[0] ?? '')) ?? chain()
}
