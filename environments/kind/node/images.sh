#!/bin/sh
# Makes the images of a node's own programs by `docker import`, named as kubeadm and the manifests beside this file name
# them, and keeps them all in FOLDER/images.tar. They hold one program each; kube-proxy and the network policy controller
# also need Debian's iptables. busybox, which faults use for init containers, is Debian's.
# usage: images.sh FOLDER         (holds bin/ of binaries.sh and the Debian root base/)
set -eu
cd "$1"
version=$(bin/kubelet --version | cut -d' ' -f2)
scratch=$(mktemp -d); containers=
trap 'rm -rf "$scratch"; for container in $containers; do docker rm -f "$container" >/dev/null; done' EXIT
trap 'exit 130' INT TERM
made=
path='ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

alone() {  # image, file, then docker import's options
  image=$1; file=$2; shift 2
  rm -rf "$scratch/root"; mkdir -p "$scratch/root/usr/local/bin" "$scratch/root/tmp" "$scratch/root/etc"
  cp "$file" "$scratch/root/usr/local/bin/"
  tar -C "$scratch/root" -c . | docker import --change "$path" "$@" - "$image" >/dev/null
  made="$made $image"
}
on_debian() {  # image, program
  container=$(docker create itbench/base:local true); containers="$containers $container"
  docker cp "$2" "$container:/usr/local/bin/"
  docker commit --change "$path" "$container" "$1" >/dev/null
  made="$made $1"
}

tar -C base -c . | docker import --change "$path" - itbench/base:local >/dev/null
cat > "$scratch/pause.c" <<'C'
#include <signal.h>
#include <unistd.h>
static void end(int number) { (void)number; _exit(0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, SIG_IGN); for (;;) pause(); }
C
gcc -static -Os -o "$scratch/pause" "$scratch/pause.c"

for image in $(bin/kubeadm config images list --kubernetes-version "$version" 2>/dev/null); do
  program=${image##*/}; program=${program%%:*}
  case $program in  # the manifests of the static pods name their commands, those of the others do not
    kube-proxy) on_debian "$image" bin/kube-proxy ;;
    pause) alone "$image" "$scratch/pause" --change 'ENTRYPOINT ["/usr/local/bin/pause"]' ;;
    coredns) alone "$image" bin/coredns --change 'ENTRYPOINT ["/usr/local/bin/coredns"]' ;;
    *) alone "$image" "bin/$program" ;;
  esac
done
on_debian registry.local/kube-router:local bin/kube-router
alone registry.local/local-path-provisioner:local bin/local-path-provisioner

rm -rf "$scratch/root"; mkdir -p "$scratch/root/bin" "$scratch/root/tmp" "$scratch/root/etc"
cp base/bin/busybox "$scratch/root/bin/"
chroot "$scratch/root" /bin/busybox --install -s /bin
tar -C "$scratch/root" -c . | docker import --change "$path" --change 'CMD ["sh"]' - docker.io/library/busybox:1.37.0 >/dev/null
made="$made docker.io/library/busybox:1.37.0"
# Programs that only have to be there: what they ask for is reserved, what they do does not matter.
for image in docker.io/fluent/fluent-bit:3.2.4; do
  alone "$image" "$scratch/pause" --change 'ENTRYPOINT ["/usr/local/bin/pause"]'
done

# shellcheck disable=SC2086  a list of words
docker save -o images.part $made
mv images.part images.tar
