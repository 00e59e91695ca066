/** Proves that copy-on-read does what every driver must do. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { copyOnReadDriver } from '../src/index.ts'

// Whoever reads writes: over a file that is read-only, as a read-only node's is by default, it does not open.
const can = { check: false, makeEmpty: false, shrink: true, switchMode: false, readOnly: false }
for (const { name, run } of contractCases(driverContract(copyOnReadDriver, { can }))) test(name, run)
