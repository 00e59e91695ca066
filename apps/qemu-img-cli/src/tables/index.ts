/** All tables together: for help, the manual and completion. A command loads its own only. */

import { amendTable } from './amend.ts'
import { benchTable } from './bench.ts'
import { bitmapTable } from './bitmap.ts'
import { checkTable } from './check.ts'
import type { CommandTable } from './command-table.ts'
import { commitTable } from './commit.ts'
import { compareTable } from './compare.ts'
import { convertTable } from './convert.ts'
import { createTable } from './create.ts'
import { ddTable } from './dd.ts'
import { infoTable } from './info.ts'
import { mapTable } from './map.ts'
import { measureTable } from './measure.ts'
import { rebaseTable } from './rebase.ts'
import { resizeTable } from './resize.ts'
import { snapshotTable } from './snapshot.ts'

/** In the order of the reference's help. */
export const commandTables: readonly CommandTable[] = [
  amendTable,
  benchTable,
  bitmapTable,
  checkTable,
  commitTable,
  compareTable,
  convertTable,
  createTable,
  ddTable,
  infoTable,
  mapTable,
  measureTable,
  snapshotTable,
  rebaseTable,
  resizeTable,
]
