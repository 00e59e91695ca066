// Proves that the lab catches the reference's own order, in what the reference's `qemu-img commit` itself has written, and
// that ours, on the same images, has no state in which a power cut loses anything. docs/fault-lab.md gives the figures.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commitLayouts, compareCommits } from '../scripts/crash-lab/planted/reference-commit.ts'
import { document } from '../scripts/crash-lab/planted/report.ts'
import { isInstalled, withFolder } from '../scripts/lib/workspace.ts'

const withoutReference = !process.env.CI && !(isInstalled('qemu-img') && isInstalled('qemu-io'))
const reason = withoutReference ? ' (skipped: qemu-img and qemu-io are not installed)' : ''

/** What the reference's order loses, by layout; the others are safe by what they are. */
const lossy: readonly string[] = commitLayouts.filter(({ name }) => name !== '4 KiB clusters').map(({ name }) => name)

describe.skipIf(withoutReference)(`commit of an overlay, beside the reference${reason}`, () => {
  test.each(commitLayouts)('$name', async (layout) => {
    const { reference, ours } = await withFolder('reference-commit', (folder) => compareCommits(layout, folder))
    console.log(
      `${layout.name}: reference ${reference.violations.length} of ${reference.states}, ours of ${ours.states}: 0`,
    )
    expect(ours.violations).toEqual([])
    expect(ours.states).toBeGreaterThan(4)
    expect(reference.violations.length > 0).toBe(lossy.includes(layout.name))
    const row = `| ${layout.name} | ${reference.violations.length} of ${reference.states} | 0 of ${ours.states} |`
    expect(readFileSync(document, 'utf8')).toContain(row)
  })
})
