// Proves that every row of the reference's driver interface can be reached by a driver, as docs/writing-a-driver.md says
// where, or stands in docs/differences.md; and that the members which the page names exist.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectFiles, root } from '../tidy/files.ts'

/** The rows of the reference's table: properties, life cycle, requests. */
const rows = `
  format_name protocol_name is_filter is_format filtered_child_is_backing supports_backing needs_filename
  has_variable_length create_opts amend_opts mutable_opts strong_runtime_opts
  probe probe_device parse_filename file_open open close reopen_prepare reopen_commit reopen_commit_post reopen_abort
  join_options co_create co_create_opts co_delete_file amend_options co_amend amend_pre_run amend_clean make_empty
  change_backing_file inactivate co_invalidate_cache
  co_preadv aio_preadv co_readv co_pwritev co_pwritev_compressed co_pwrite_zeroes co_pdiscard co_block_status co_flush
  co_flush_to_os co_flush_to_disk co_truncate getlength get_allocated_file_size get_info get_specific_info
  get_specific_stats measure co_check co_copy_range_from co_copy_range_to save_vmstate load_vmstate snapshot_create
  snapshot_goto snapshot_delete snapshot_list snapshot_load_tmp refresh_limits has_zero_init co_drain_begin co_drain_end
  attach_aio_context detach_aio_context child_perm check_perm set_perm abort_perm_update debug_event debug_breakpoint
  debug_remove_breakpoint debug_resume debug_is_suspended supports_persistent_dirty_bitmap
  co_can_store_new_dirty_bitmap co_remove_persistent_dirty_bitmap refresh_filename gather_child_options dirname
  recurse_can_replace cancel_in_flight
`
  .trim()
  .split(/\s+/)

const page = readFileSync(join(root, 'docs/writing-a-driver.md'), 'utf8')
const table = page.slice(page.indexOf('## What else a driver can do'))
const differences = readFileSync(join(root, 'docs/differences.md'), 'utf8')

test.each(rows)('%s', (row) => {
  const places = [table, differences].filter((text) => text.includes(`\`${row}\``))
  expect(places).toHaveLength(1)
})

describe('members that the page names exist:', () => {
  const contract = [
    ...projectFiles('packages/block-core/src/driver'),
    ...projectFiles('packages/block-core/src/options'),
  ]
    .map(({ text }) => text)
    .join('\n')
  const right = table.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split('|')[2]!] : []))
  const members = new Set(
    right.flatMap((cell) => [...cell.matchAll(/`([\w.]+)`/g)].map((match) => match[1]!.split('.').at(-1)!)),
  )
  test('there are many', () => expect(members.size).toBeGreaterThan(40))
  test.each([...members])('%s', (member) => {
    expect(contract).toMatch(new RegExp(`^  (readonly )?${member}\\??[:(]`, 'm'))
  })
})
