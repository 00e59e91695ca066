# An image moves to a logical volume: how large must that be, is what arrives the same, and growing it afterwards.
qemu-img convert -q -f raw -O qcow2 rootfs.ext4 vm.qcow2
qemu-img resize -q vm.qcow2 48M

# lvcreate takes bytes: a file of exactly that length stands for the volume.
needed=$(qemu-img measure --output=json -O raw vm.qcow2 | sed -n 's/.*"required": \([0-9]*\).*/\1/p')
echo "raw: $needed"
truncate -s "$needed" volume
qemu-img convert -p -n -f qcow2 -O raw --target-is-zero -W -t none -T none vm.qcow2 volume
qemu-img compare -f qcow2 -F raw -p vm.qcow2 volume

# A volume that holds a qcow2 image, for snapshots: its metadata needs room too.
needed=$(qemu-img measure -O qcow2 -o cluster_size=64k vm.qcow2 | sed -n 's/^required size: //p')
echo "qcow2: $needed"
truncate -s "$needed" qcow2volume
qemu-img convert -f qcow2 -O qcow2 vm.qcow2 qcow2volume
test "$(stat -c %s qcow2volume)" -le "$needed" && echo 'it fits'
qemu-img check -f qcow2 qcow2volume >checked && sed -n 1p checked

# The volume grows; shrinking it asks for a word.
qemu-img resize -f raw volume +16M
qemu-img resize -f raw volume 32M || echo "status $?"
qemu-img resize --shrink -f raw volume 48M
qemu-img dd -f raw -O raw bs=1M count=4 skip=1 if=volume of=piece
qemu-img info -f raw volume | grep 'virtual size'
