// Proves that snapshot lists, makes, applies and deletes as the reference does, with its answers and refusals.

import { runTable } from './run-table.ts'

/** The reference's list afterwards; when a snapshot was made is the one thing that may differ. */
const show = 'qemu-img snapshot -l snapped; qemu-img info --output=json snapped | grep -c date-sec'
const list = { show }
const maskDate = (text: string): string => text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'DATE')
const changed =
  "qemu-io -c 'write -P 7 0 256k' snapped; qemu-img snapshot -c first snapped; qemu-img snapshot -c 2 snapped; qemu-io -c 'write -P 8 0 1M' snapped"
const sized =
  "qemu-img create -q -f qcow2 s 1M; qemu-img snapshot -c one s; qemu-img resize -q s 2M; qemu-io -c 'write -P 1 0 2M' s"

// The applied disk's tables are written to another place on purpose.
runTable(
  'snapshot',
  [
    'snapshot -l snapped',
    'snapshot -q -l snapped',
    'snapshot -l q',
    'snapshot -l r',
    'snapshot -U -l snapped',
    'snapshot --force -l snapped',
    'snapshot -l --image-opts driver=qcow2,file.filename=snapped',
    'snapshot -l --image-opts driver=raw,file.driver=qcow2,file.file.filename=snapped',
    'snapshot q',
    'snapshot r',
    'snapshot -q q',
    ['snapshot -c new snapped', list],
    ['snapshot -q -c new snapped', list],
    ['snapshot -c first snapped', list],
    ["snapshot -c '' snapped", list],
    ['snapshot -c 1 snapped', list],
    [`snapshot -c ${'x'.repeat(300)} snapped`, list],
    [`snapshot -c ${'x'.repeat(255)} snapped`, list],
    ['snapshot -c ünïcödé snapped', list],
    ['snapshot -c new --image-opts driver=qcow2,file.filename=snapped', list],
    ['snapshot -c new --image-opts driver=raw,file.driver=qcow2,file.file.filename=snapped', list],
    ['snapshot -c new v2', { show: 'qemu-img snapshot -l v2' }],
    ['snapshot -c new top', { show: 'qemu-img snapshot -l top' }],
    ['snapshot -c new marked', { show: 'qemu-img snapshot -l marked' }],
    ['snapshot -a first snapped', { prepare: changed, anyLayout: true, show }],
    ['snapshot -a 1 snapped', { prepare: changed, anyLayout: true, show }],
    ['snapshot -a 2 snapped', { prepare: changed, anyLayout: true, show }],
    ['snapshot -a 3 snapped', { prepare: changed, anyLayout: true, show }],
    ["snapshot -a 'with a long näme' snapped", { prepare: changed, anyLayout: true, show }],
    [
      'snapshot -a one s',
      { prepare: sized, anyLayout: true, show: 'qemu-img snapshot -l s; qemu-img info s | grep virtual' },
    ],
    ['snapshot -d first snapped', { prepare: changed, show }],
    ['snapshot -d 2 snapped', { prepare: changed, show }],
    ["snapshot -d 'with a long näme' snapped", list],
    ['snapshot -d first --image-opts driver=raw,file.driver=qcow2,file.file.filename=snapped', list],
  ],
  maskDate,
)

runTable('snapshot, refused', [
  'snapshot',
  'snapshot -l',
  'snapshot -c',
  'snapshot q q',
  'snapshot -l -l q',
  'snapshot -l -c s q',
  'snapshot -c a -c b q',
  'snapshot -d a -a b',
  'snapshot -f qcow2 q',
  'snapshot -c s r',
  'snapshot -a s r',
  'snapshot -d s r',
  'snapshot -a s --image-opts driver=raw,file.filename=r',
  'snapshot -a nope snapped',
  "snapshot -a '' snapped",
  'snapshot -d nope snapped',
  'snapshot -d 1 snapped',
  'snapshot -a s q',
  ['snapshot -a s marked', { prepare: 'qemu-img snapshot -c s marked' }],
  'snapshot -U q',
  'snapshot -U -c s q',
  'snapshot -U -a s q',
  'snapshot -U -d s q',
  'snapshot -l missing',
  'snapshot -c s missing',
  'snapshot -l orphan',
  'snapshot -c s orphan',
  'snapshot -l truncated',
  'snapshot -l --image-opts q',
  'snapshot -U -l --image-opts driver=qcow2,file.filename=q,force-share=off',
  'snapshot -c s --image-opts driver=qcow2,file.filename=q,read-only=on',
  'snapshot -a s --image-opts driver=qcow2,file.filename=q,read-only=on',
])
