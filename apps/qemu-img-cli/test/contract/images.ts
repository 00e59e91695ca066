/** The images that command lines are tried on; made by the reference, so that both tools start from its bytes. */

/** Shell lines that make them. */
export const images: string = `
qemu-img create -q -f raw r 1M
qemu-io -f raw -c 'write -P 1 64k 128k' -c 'write -P 2 512k 4k' r
truncate -s 1M hole
qemu-img create -q -f raw r2 1536k
dd if=r of=r2 bs=64k conv=notrunc,sparse status=none
head -c 1000 r > odd
truncate -s 0 empty
qemu-img create -q -f qcow2 q 1M
qemu-io -c 'write -P 1 64k 128k' -c 'write -P 2 512k 4k' -c 'write -z 640k 64k' q
qemu-img create -q -f qcow2 -o compat=0.10,cluster_size=4k v2 1M
qemu-io -c 'write -P 3 4k 100k' -c 'write -z 128k 8k' v2
qemu-img create -q -f qcow2 base 1M
qemu-io -c 'write -P 1 0 1M' base
qemu-img create -q -f qcow2 -b base -F qcow2 mid
qemu-io -c 'write -P 2 0 256k' mid
qemu-img create -q -f qcow2 -b mid -F qcow2 top
qemu-io -c 'write -P 3 0 64k' -c 'write -z 512k 64k' top
qemu-img create -q -f qcow2 small 512k
qemu-io -c 'write -P 5 0 512k' small
qemu-img create -q -f qcow2 -b small -F qcow2 grown 1M
qemu-io -c 'write -P 6 256k 64k' -c 'write -P 7 768k 64k' grown
qemu-img create -q -f raw rawbase 1M
qemu-io -f raw -c 'write -P 8 0 512k' rawbase
qemu-img create -q -f qcow2 -b rawbase -F raw onraw
qemu-io -c 'write -P 9 128k 4k' -c 'write -z 256k 64k' onraw
mkdir sub
qemu-img create -q -f qcow2 sub/sbase 1M
(cd sub; qemu-img create -q -f qcow2 -b ./sbase -F qcow2 stop)
qemu-io -c 'write -P 4 0 64k' sub/stop
qemu-img convert -c -O qcow2 q compressed
qemu-img create -q -f qcow2 -u -b gone -F qcow2 orphan 1M
qemu-img create -q -f qcow2 -u -b loop2 -F qcow2 loop1 1M
qemu-img create -q -f qcow2 -u -b loop1 -F qcow2 loop2 1M
qemu-img create -q -f qcow2 -u -b ./self -F qcow2 self 1M
head -c 50 q > truncated
cp q l1beyond
printf '\\377\\377\\377\\000' | dd of=l1beyond bs=1 seek=43 conv=notrunc status=none

qemu-img create -q -f qcow2 leak0 1M
qemu-io -c 'write -P 1 0 64k' leak0
cp leak0 leaky
printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd of=leaky bs=1 seek=262144 conv=notrunc status=none
cp leak0 corrupt
printf '\\0\\0' | dd of=corrupt bs=1 seek=131082 conv=notrunc status=none
rm leak0
cp q future
printf '\\200' | dd of=future bs=1 seek=72 conv=notrunc status=none
cp q snapped
qemu-img snapshot -c first snapped
qemu-img snapshot -c 'with a long näme' snapped
qemu-img create -q -f qcow2 marked 1M
qemu-img bitmap --add -g 4096 marked b0
qemu-img bitmap --add --disable marked b1
`
