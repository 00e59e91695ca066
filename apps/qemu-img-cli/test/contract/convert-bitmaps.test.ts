// Proves that convert takes the persistent bitmaps along as the reference does: the same bitmaps with the same bits, and
// the same words where one cannot be had.

import { runTable } from './run-table.ts'
import type { CaseOptions } from '../support/twins.ts'

const bits = (image: string, bitmap: string): string => `
cat > bits.sh <<'END'
qemu-nbd -r -t -f qcow2 -k $PWD/sock -B ${bitmap} ${image} & nbd=$!
for i in 1 2 3 4 5 6 7 8 9; do [ -S sock ] && break; sleep 0.1; done
qemu-img map --output=json --image-opts driver=nbd,server.type=unix,server.path=sock,x-dirty-bitmap=qemu:dirty-bitmap:${bitmap}
kill $nbd; wait $nbd || true
END
sh bits.sh 2>&1 | grep -v offset: ; rm -f bits.sh sock`

const dirtied =
  "qemu-img bitmap --add -g 512 marked fine; qemu-io -c 'write 0 64k' -c 'write 512k 4k' marked; qemu-img bitmap --add --disable marked late"
const broken = "qemu-io -c 'write 0 64k' -c abort marked >/dev/null 2>&1 || true; qemu-img bitmap --add marked whole"
const listed = "qemu-img info x | sed -n '/bitmaps:/,/refcount/p'; qemu-img check -q x"
const shown = (options: CaseOptions = {}): CaseOptions => ({ anyLayout: true, show: listed, ...options })
const twin = (options = ''): string => `${dirtied}; qemu-img create -q -f qcow2 ${options} x 1M`

runTable('convert with bitmaps', [
  ['convert --bitmaps -O qcow2 marked x', shown()],
  ['convert --bitmaps -O qcow2 marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -O qcow2 marked x ', shown({ prepare: dirtied, show: bits('x', 'b0') })],
  ['convert --bitmaps  -O qcow2 marked x', shown({ prepare: dirtied, show: bits('x', 'fine') })],
  ['convert --bit -O qcow2 marked x', shown()],
  ['convert --bitmaps -O qcow2 q x', shown()],
  ['convert --bitmaps -c -O qcow2 marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -W -m 4 -O qcow2 marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -S 0 -O qcow2 -o cluster_size=4k marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -O qcow2 -o refcount_bits=1,lazy_refcounts=on marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -n -O qcow2 marked x', shown({ prepare: twin() })],
  ['convert --bitmaps -n --target-is-zero -O qcow2 marked x', shown({ prepare: twin() })],
  [
    'convert --bitmaps -n --target-image-opts marked driver=qcow2,file.filename=x',
    shown({ prepare: twin('-o cluster_size=4k') }),
  ],
  ['convert --bitmaps --image-opts -O qcow2 driver=qcow2,file.filename=marked x', shown({ prepare: dirtied })],
  ['convert --bitmaps -l s -O qcow2 marked x', shown({ prepare: `${dirtied}; qemu-img snapshot -c s marked` })],
  ['convert --bitmaps -U -O qcow2 marked x', shown()],
  ['convert --bitmaps -T none -t none -O qcow2 marked x', shown()],
  ['convert --bitmaps --skip-broken-bitmaps -O qcow2 marked x', shown({ prepare: broken })],
  ['convert --bitmaps --skip-broken-bitmaps -q -O qcow2 marked x', shown({ prepare: broken })],
  ['convert --bitmaps --skip -O qcow2 marked x', shown({ prepare: dirtied })],
  [
    'convert --bitmaps -B base -F qcow2 -O qcow2 over x',
    shown({ prepare: 'qemu-img create -q -f qcow2 -b base -F qcow2 over; qemu-img bitmap --add over b' }),
  ],
])

runTable('convert with bitmaps, refused', [
  'convert --bitmaps marked x',
  'convert --bitmaps -O raw marked x',
  ['convert --bitmaps -O qcow2 -o compat=0.10 marked x', { anyLayout: true }],
  'convert --bitmaps -O qcow2 r x',
  'convert --bitmaps -f raw -O qcow2 marked x',
  'convert --bitmaps -O qcow2 v2 x',
  'convert --bitmaps -O qcow2 marked q x',
  'convert --bitmaps -O foo r x',
  'convert --bitmaps -n -O qcow2 marked r',
  'convert --bitmaps -c -O raw marked x',
  ['convert --bitmaps -n -O qcow2 marked x', { prepare: `${twin()}; qemu-img bitmap --add x b1`, anyLayout: true }],
  [
    'convert --bitmaps -n -O qcow2 marked x',
    { prepare: `${dirtied}; qemu-img create -q -f qcow2 x 2M`, anyLayout: true },
  ],
  ['convert --bitmaps -O qcow2 marked x', { prepare: broken }],
  ['convert --bitmaps -c -O qcow2 marked x', { prepare: broken }],
  ['convert --bitmaps -O qcow2 -o foo=1 marked x', { prepare: broken }],
  'convert --skip-broken-bitmaps -O qcow2 marked x',
])
