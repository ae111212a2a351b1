#!/bin/sh
# Makes the node image itbench/node:VERSION: Debian with systemd and containerd, kubelet and kubeadm, and the images of
# images.sh in containerd's store.
# usage: image.sh FOLDER          (holds bin/, images.tar and the Debian root node/)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
cd "$1"
version=$(bin/kubelet --version | cut -d' ' -f2)
files=$sources/files
install -m755 "$files/entrypoint" "$files/runc-bounded" node/usr/local/bin/
install -D -m644 "$files/containerd.toml" node/etc/containerd/config.toml
install -D -m644 "$files/containerd-unit.conf" node/etc/systemd/system/containerd.service.d/override.conf
install -D -m644 "$files/kubelet.service" node/etc/systemd/system/kubelet.service
install -D -m644 "$files/10-pods.conflist" node/etc/cni/net.d/10-pods.conflist
install -m755 bin/kubelet bin/kubeadm bin/kubectl node/usr/bin/
mkdir -p node/kind/manifests node/etc/systemd/system.conf.d
printf %s "$version" > node/kind/version
install -m644 "$sources"/manifests/*.yaml node/kind/manifests/
ln -sf /lib/systemd/system/multi-user.target node/etc/systemd/system/default.target
chroot node systemctl enable --quiet containerd kubelet
for unit in getty.target console-getty.service systemd-logind.service systemd-udevd.service systemd-timesyncd.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "node/etc/systemd/system/$unit"
done
# kind waits for the line on the console that says that the multi-user target is reached
printf '[Manager]\nShowStatus=yes\nLogTarget=console\n' > node/etc/systemd/system.conf.d/log.conf
: > node/etc/machine-id

tar -C node -c . | docker import --change 'ENV container=docker' - itbench/node:raw >/dev/null
container=$(docker run -d --privileged --entrypoint sleep -v "$PWD/images.tar:/images.tar:ro" itbench/node:raw infinity)
trap 'docker rm -f "$container" >/dev/null; docker rmi itbench/node:raw >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM
docker exec "$container" sh -c '
  containerd >/tmp/containerd.log 2>&1 & daemon=$!
  for _ in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep .2; done
  ctr -n k8s.io images import --no-unpack /images.tar >/dev/null || { cat /tmp/containerd.log; exit 1; }
  kill $daemon; sleep 1; rm -rf /tmp/containerd.log /run/containerd'
# The label tells itbench what kubelet must be told: kind assumes systemd.
docker commit --change 'LABEL cgroup-driver=cgroupfs' --change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' "$container" "itbench/node:$version" >/dev/null
