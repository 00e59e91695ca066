/** The images that command lines are tried on; made by the reference, so that both programs start from its bytes. */

/** Shell lines that make them. */
export const images: string = `
qemu-img create -q -f raw r 1M
qemu-io -f raw -c 'write -P 1 64k 128k' -c 'write -P 2 512k 4k' r
qemu-img create -q -f qcow2 q 1M
qemu-io -c 'write -P 1 64k 128k' -c 'write -P 2 512k 4k' -c 'write -z 640k 64k' q
qemu-img create -q -f qcow2 -o compat=0.10,cluster_size=4k v2 1M
qemu-io -c 'write -P 3 4k 100k' v2
qemu-img create -q -f qcow2 -o cluster_size=16k,extended_l2=on xl2 1M
qemu-io -c 'write -P 4 20k 3k' xl2
qemu-img create -q -f qcow2 base 1M
qemu-io -c 'write -P 1 0 1M' base
qemu-img create -q -f qcow2 -b base -F qcow2 top
qemu-io -c 'write -P 3 0 64k' -c 'write -z 512k 64k' top
qemu-img create -q -f raw odd 1000
qemu-img create -q -f raw none 0
qemu-img create -q -f qcow2 huge 1T
printf abc > letters
: > nothing
mkdir folder
printf '[inject-error]\\nevent = "write_aio"\\nerrno = "28"\\nonce = "on"\\n' > enospc.conf
printf '[inject-error]\\nevent = "flush_to_disk"\\nerrno = "5"\\n' > noflush.conf
printf '[inject-error]\\nevent = "l2_update"\\nerrno = "5"\\nimmediately = "on"\\n' > l2.conf
printf '[inject-error]\\nevent = "read_aio"\\nerrno = "5"\\n' > noread.conf
`
