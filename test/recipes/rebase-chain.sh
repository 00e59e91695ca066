# A backup chain: a full image and three increments; the second is merged away, the first becomes part of the full one.
qemu-img convert -q -f raw -O qcow2 -o cluster_size=32k rootfs.ext4 full.qcow2
before=full
for n in 1 2 3; do
  qemu-img create -q -f qcow2 -F qcow2 -b "$before.qcow2" "inc$n.qcow2"
  qemu-io -c "write -P $n ${n}M 256k" -c "write -P 9$n $((n * 5))M 64k" -c "discard $((n + 10))M 1M" "inc$n.qcow2" | grep -c ops
  before="inc$n"
done
qemu-img convert -O raw inc3.qcow2 expected.raw
qemu-img info --backing-chain inc3.qcow2 | grep -e '^image' -e '^backing file:'

# What inc2 holds goes into inc3, so that inc2 can go.
qemu-img rebase -p -f qcow2 -b inc1.qcow2 -F qcow2 inc3.qcow2 | tr '\r' '\n' | tail -n 1
rm inc2.qcow2
qemu-img compare -f qcow2 -F raw inc3.qcow2 expected.raw

# What inc1 holds goes into the full image; nothing needs to be copied for who stood on it.
qemu-img commit -d inc1.qcow2
qemu-img rebase -u -f qcow2 -b full.qcow2 -F qcow2 inc3.qcow2
rm inc1.qcow2
qemu-img compare -f qcow2 -F raw inc3.qcow2 expected.raw

# The name of the full image changes; a chain without it cannot be opened.
mkdir archive && mv full.qcow2 archive
qemu-img info --backing-chain inc3.qcow2 || echo "status $?"
qemu-img rebase -u -b archive/full.qcow2 -F qcow2 inc3.qcow2
qemu-img check inc3.qcow2 && qemu-img compare -f qcow2 -F raw inc3.qcow2 expected.raw

# And in the end one image without a chain.
qemu-img rebase -f qcow2 -b '' inc3.qcow2
rm -r archive
qemu-img info --output=json inc3.qcow2 | grep -c backing || echo 'no backing file'
qemu-img compare -f qcow2 -F raw inc3.qcow2 expected.raw
