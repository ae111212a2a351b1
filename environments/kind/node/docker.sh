#!/bin/sh
# Starts a Docker daemon where none runs (no systemd, say), and where the machine withholds capabilities, with a runtime that
# asks only for those that it grants: without it, privileged containers such as kind's nodes end with "unable to apply caps".
# usage: docker.sh
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
if docker info >/dev/null 2>&1; then echo "docker: runs already"; exit 0; fi
for program in dockerd runc jq; do
  command -v $program >/dev/null || { echo "docker: $program is needed (apt-get install docker.io iptables jq)" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "docker: the daemon needs root" >&2; exit 2; }
install -m755 "$sources/files/runc-bounded" /usr/local/bin/runc-bounded
log=${XDG_CACHE_HOME:-$HOME/.cache}/itbench/dockerd.log
mkdir -p "$(dirname "$log")"
setsid nohup dockerd --add-runtime bounded=/usr/local/bin/runc-bounded --default-runtime bounded >"$log" 2>&1 </dev/null &
for _ in $(seq 100); do
  if docker info >/dev/null 2>&1; then
    # On cgroup v1 all containers together weigh as much as one process outside: a busy machine would starve a cluster.
    mkdir -p /sys/fs/cgroup/cpu/docker 2>/dev/null && echo 16384 2>/dev/null >/sys/fs/cgroup/cpu/docker/cpu.shares || true
    echo "docker: started; its log is $log"
    exit 0
  fi
  sleep .3
done
echo "docker: it does not answer: $(tail -1 "$log")" >&2
exit 1
