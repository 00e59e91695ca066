/**
 * `pnpm concurrency [--operations N] [--seeds 1,2,3] [--only TEXT]`: the random concurrency test at full size.
 *
 * On each disk (raw and qcow2, over memory and over files, whole sectors and odd bytes) it does N operations (100,000)
 * for each seed, 64 at a time, and ends with 1 at the first content that no serial order explains.
 */
import { parseArgs } from 'node:util'
import { layoutName, layouts } from '../test/concurrency/layouts.ts'
import { runConcurrency } from '../test/concurrency/run.ts'

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    seeds: { type: 'string', default: '1,2,3' },
    only: { type: 'string', default: '' },
  },
})
for (const layout of layouts.filter((each) => layoutName(each).includes(values.only))) {
  for (const seed of values.seeds.split(',').map(Number)) {
    const start = performance.now()
    const report = await runConcurrency({ layout, seed, operations: Number(values.operations) })
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const counts = Object.entries(report.byKind).map(([kind, count]) => `${count} ${kind}`)
    const torn = report.mixtures > 0 ? `, ${report.mixtures} torn reads beside a write` : ''
    console.log(`${layoutName(layout)}, seed ${seed}: ${counts.join(', ')}${torn}; ${seconds} s`)
  }
}
