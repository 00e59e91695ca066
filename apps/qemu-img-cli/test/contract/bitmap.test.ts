// Proves that bitmap does the reference's actions in their order, keeps the same bitmaps with the same bits, and refuses
// in the same words.

import type { CaseOptions } from '../support/twins.ts'
import { type Case, runTable } from './run-table.ts'

/** Bitmaps as the reference lists them; when the image was opened anew it has read them from the file. */
const list = (image: string): string =>
  `qemu-img info ${image} | sed -n '/bitmaps:/,/refcount/p'; qemu-img check -q ${image}`

/** The bits, as an export shows them: the areas that are dirty are those without data. */
const bits = (image: string, bitmap: string): string => `
cat > bits.sh <<'END'
qemu-nbd -r -t -f qcow2 -k $PWD/sock -B ${bitmap} ${image} & nbd=$!
for i in 1 2 3 4 5 6 7 8 9; do [ -S sock ] && break; sleep 0.1; done
qemu-img map --output=json --image-opts driver=nbd,server.type=unix,server.path=sock,x-dirty-bitmap=qemu:dirty-bitmap:${bitmap}
kill $nbd; wait $nbd || true
END
sh bits.sh 2>&1 | grep -v offset: ; rm -f bits.sh sock`

/** Names of nodes are numbers that both tools choose. */
const maskNodes = (text: string): string => text.replace(/#block\d+/g, '#block')

const shown = (image: string, options: CaseOptions = {}): CaseOptions => ({
  anyLayout: true,
  show: list(image),
  ...options,
})
const dirtied = "qemu-io -c 'write 0 64k' -c 'write 512k 4k' marked"
const broken = "qemu-io -c 'write 0 64k' -c abort marked >/dev/null 2>&1 || true"
const other =
  "qemu-img create -q -f qcow2 other 1M; qemu-img bitmap --add -g 8k other src; qemu-io -c 'write 100k 100k' other; qemu-img create -q -f qcow2 long 2M; qemu-img bitmap --add long b0"

const done: readonly Case[] = [
  ['bitmap --add q b', shown('q')],
  ['bitmap --add -g 4k q b', shown('q')],
  ['bitmap --add -g 0 q b', shown('q')],
  ['bitmap --add -g 2G q b', shown('q')],
  ['bitmap --add --granularity=512 q b', shown('q')],
  ['bitmap --add --disable q b', shown('q')],
  ['bitmap --disable --add marked b0', shown('marked')],
  ['bitmap --add --enable q b', shown('q')],
  ['bitmap --add -f qcow2 q b', shown('q')],
  ['bitmap --add top b', shown('top')],
  ['bitmap --add orphan b', shown('orphan', { show: 'qemu-img info orphan | grep name:' })],
  ['bitmap --add --image-opts driver=qcow2,file.filename=q b', shown('q')],
  ['bitmap --add --remove q b', shown('q')],
  ['bitmap --remove marked b0', shown('marked')],
  ['bitmap --remove --add marked b0', shown('marked')],
  ['bitmap --enable marked b0', shown('marked')],
  ['bitmap --enable marked b1', shown('marked')],
  ['bitmap --disable marked b0', shown('marked')],
  ['bitmap --disable marked b1', shown('marked')],
  ['bitmap --clear marked b0', shown('marked', { prepare: dirtied, show: bits('marked', 'b0') })],
  ['bitmap --merge b0 marked b1', shown('marked', { prepare: dirtied, show: bits('marked', 'b1') })],
  ['bitmap --merge b0 --clear marked b1', shown('marked', { prepare: dirtied, show: bits('marked', 'b1') })],
  ['bitmap --merge b1 marked b1', shown('marked')],
  ['bitmap --add --merge b0 -g 16k marked b2', shown('marked', { prepare: dirtied, show: bits('marked', 'b2') })],
  ['bitmap --merge src -b other marked b1', shown('marked', { prepare: other, show: bits('marked', 'b1') })],
  [
    'bitmap --merge src -b other -F qcow2 --image-opts driver=qcow2,file.filename=marked b0',
    shown('marked', { prepare: other, show: bits('marked', 'b0') }),
  ],
  [
    'bitmap --add --merge src --source-file=other --source-format=qcow2 q b',
    shown('q', { prepare: other, show: bits('q', 'b') }),
  ],
  ['bitmap --add --merge src --merge b0 -b other q b', shown('q', { prepare: other })],
  ['bitmap --add --merge b0 -b long q b', shown('q', { prepare: other })],
  ['bitmap --add --add q b', shown('q')],
  ['bitmap --add --clear --disable --enable --remove --add q b', shown('q')],
  ['bitmap --remove marked b0', shown('marked', { prepare: broken })],
]

runTable('bitmap', done, maskNodes)

runTable(
  'bitmap, refused',
  [
    'bitmap',
    'bitmap q',
    'bitmap q b',
    'bitmap --add',
    'bitmap --add q',
    'bitmap --add q b c',
    'bitmap -g 4k q b',
    'bitmap --remove -g 4k q b',
    'bitmap --remove -g 0 marked nope',
    'bitmap --add -F qcow2 q b',
    'bitmap --add -b q q b',
    'bitmap --merge x -F qcow2 q b',
    'bitmap -g foo --add q b',
    'bitmap -g 8E --add q b',
    'bitmap -g 100 --add q b',
    'bitmap -g 256 --add q b',
    'bitmap -g 4G --add q b',
    'bitmap -g 7E --add q b',
    'bitmap -g 100 -f raw --add r b',
    'bitmap --add marked b0',
    "bitmap --add q ''",
    "bitmap --remove q ''",
    `bitmap --add q ${'x'.repeat(1024)}`,
    'bitmap --add v2 b',
    'bitmap --add r b',
    'bitmap --add -f raw r b',
    'bitmap --remove -f raw r b',
    'bitmap --add --image-opts driver=raw,file.driver=qcow2,file.file.filename=q b',
    'bitmap --add --image-opts driver=qcow2,file.filename=q,read-only=on b',
    'bitmap --remove q nope',
    'bitmap --clear q nope',
    'bitmap --enable q nope',
    'bitmap --disable q nope',
    'bitmap --merge nope marked b0',
    'bitmap --merge b0 marked nope',
    'bitmap --merge b0 -b nosource missing b0',
    'bitmap --merge b0 -b nosource marked b0',
    'bitmap --merge b0 -b marked marked b0',
    'bitmap --merge b0 -b q -F raw marked b0',
    'bitmap --merge b0 -b q -F foo marked b0',
    'bitmap --merge b0 --image-opts -b driver=qcow2,file.filename=q driver=qcow2,file.filename=marked b0',
    ['bitmap --merge b0 -b long marked b0', { prepare: other }],
    ['bitmap --clear marked b0', { prepare: broken }],
    ['bitmap --enable marked b0', { prepare: broken }],
    ['bitmap --disable marked b0', { prepare: broken }],
    ['bitmap --merge b1 marked b0', { prepare: broken }],
    ['bitmap --merge b0 marked b1', { prepare: broken }],
    ['bitmap --add marked b0', { prepare: broken }],
    'bitmap --add missing b',
    'bitmap --add truncated b',
    'bitmap -f foo --add q b',
    'bitmap -f raw --image-opts --add q b',
    'bitmap --image-opts --add q b',
    'bitmap -f raw --image-opts --add q',
    'bitmap -U --add q b',
    'bitmap --merge',
    'bitmap --add=1 q b',
  ],
  maskNodes,
)
