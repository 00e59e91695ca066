// Proves that commit leaves every image of a chain as the reference does, and says and answers the same.

import { maskProgress, runTable } from './run-table.ts'

runTable(
  'commit',
  [
    'commit top',
    'commit -f qcow2 top',
    'commit -d top',
    'commit -q top',
    'commit -p top',
    'commit -p -q top',
    'commit -b mid top',
    'commit -b base top',
    'commit -b ./mid top',
    'commit -b sub/../base top',
    'commit -b base -d top',
    'commit -b zz top',
    "commit -b '' top",
    'commit -b top top',
    'commit -p -b zz top',
    'commit mid',
    'commit base',
    'commit -p base',
    'commit r',
    'commit -f raw top',
    'commit -f raw r',
    'commit grown',
    'commit -d grown',
    'commit onraw',
    'commit sub/stop',
    'commit -b sbase sub/stop',
    'commit -b sub/sbase sub/stop',
    'commit -t writethrough top',
    'commit -t none top',
    'commit -t unsafe top',
    'commit -t directsync top',
    'commit -t foo top',
    'commit -r 100M top',
    'commit -r foo top',
    'commit -r -1 top',
    'commit -dpq top',
    'commit --image-opts driver=qcow2,file.filename=top',
    'commit --image-opts -f qcow2 driver=qcow2,file.filename=top',
    'commit --image-opts driver=qcow2,file.filename=top,backing.driver=qcow2,backing.file.filename=base',
    [
      'commit -b base c/other',
      { prepare: 'mkdir c; cp top mid base c; cd c; qemu-img create -q -f qcow2 -b top -F qcow2 other' },
    ],
    [
      'commit v2top',
      {
        prepare:
          "qemu-img create -q -f qcow2 -o compat=0.10 -b base -F qcow2 v2top; qemu-io -c 'write -P 9 100k 100k' v2top",
      },
    ],
    [
      'commit o',
      {
        prepare:
          "qemu-img create -q -f qcow2 -b v2 -F qcow2 o; qemu-io -c 'write -z 0 64k' -c 'write -P 9 100k 100k' o",
      },
    ],
    [
      'commit o',
      { prepare: "qemu-img create -q -f qcow2 -b small -F qcow2 o 256k; qemu-io -c 'write -P 9 100k 100k' o" },
    ],
    ['commit o', { prepare: 'qemu-img create -q -f qcow2 -b base -F qcow2 o' }],
    [
      'commit o',
      {
        prepare: "qemu-img create -q -f qcow2 -b base -F qcow2 -o cluster_size=4k o; qemu-io -c 'write -P 9 100k 4k' o",
      },
    ],
    [
      'commit o',
      {
        prepare: "qemu-img create -q -f qcow2 -b base -F qcow2 -o lazy_refcounts=on o; qemu-io -c 'write -P 9 0 1M' o",
      },
    ],
    ['commit o', { prepare: 'qemu-img convert -c -O qcow2 -B base -F qcow2 mid o' }],
    ['commit link', { prepare: 'ln -s top link' }],
  ],
  maskProgress,
)

runTable('commit, refused', [
  'commit',
  'commit top mid',
  'commit missing',
  'commit orphan',
  'commit truncated',
  'commit l1beyond',
  'commit future',
  'commit loop1',
  'commit self',
  'commit .',
  'commit -f foo top',
  'commit -U top',
  'commit -T none top',
  ['commit top', { prepare: 'head -c 50 base > x; mv x base' }],
  ['commit top', { prepare: 'rm base' }],
  ['commit top', { prepare: 'rm mid; mkdir mid' }],
])
