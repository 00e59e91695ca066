# A cloud image, as image builders make it: a disk with a partition, compressed, with room to grow at the first boot.
truncate -s 40M disk.raw
dd if=table.bin of=disk.raw conv=notrunc status=none
dd if=rootfs.ext4 of=disk.raw bs=1M seek=1 conv=notrunc,sparse status=none

qemu-img convert -f raw -O qcow2 -c -o compat=1.1 disk.raw cloud.qcow2
qemu-img resize cloud.qcow2 +2G
qemu-img check cloud.qcow2 | grep -v offset
qemu-img info --output=json cloud.qcow2 | grep -e virtual-size -e '"format"' -e compat
test "$(stat -c %s cloud.qcow2)" -lt "$(du -B1 disk.raw | cut -f1)" && echo 'smaller than it was'

# What a user of it does: an overlay of his own, larger, and its content written on.
qemu-img create -f qcow2 -F qcow2 -b cloud.qcow2 instance.qcow2 3G
qemu-io -c 'write -P 0x42 2500M 1M' -c 'write -P 0x17 1M 64k' instance.qcow2 | grep wrote
qemu-img map --output=json instance.qcow2 | grep -c '"depth": 0'
qemu-img convert -O qcow2 -o preallocation=metadata instance.qcow2 flat.qcow2
qemu-img compare instance.qcow2 flat.qcow2
