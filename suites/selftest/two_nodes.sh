#!/bin/sh
# Two nodes behind a jump host, and a desk that can reach only the jump host; nothing of the testbed's code.
# usage: two_nodes.sh FOLDER PREFIX PYTHON_PREFIX. FOLDER gets key, ssh_config and known_hosts; the namespaces are
# PREFIXdesk, PREFIXjump, PREFIXa and PREFIXb. It says "ready", and all is undone when its stdin ends.
set -eu
dir=$1 p=$2 python=$3 pids=
clean() {
  trap '' INT TERM HUP
  kill -9 $pids 2>/dev/null || true
  wait 2>/dev/null || true
  for n in desk jump a b; do ip netns del "$p$n" 2>/dev/null || true; done
}
trap clean EXIT
trap 'exit 1' INT TERM HUP
cable() { # NODE NIC ADDRESS, for both ends
  ip -n "$p$1" link add "$2" type veth peer name "$5" netns "$p$4"
  ip -n "$p$1" addr add "$3/24" dev "$2"; ip -n "$p$1" link set "$2" up
  ip -n "$p$4" addr add "$6/24" dev "$5"; ip -n "$p$4" link set "$5" up
}
serve() { # NODE HOST ADDRESS [MORE SSH_CONFIG]: an sshd whose processes, /run, /tmp and HOME are its own
  ssh-keygen -qt ed25519 -N '' -f "$dir/host_$1"
  ip netns exec "$p$1" unshare -pf --kill-child --mount-proc sh -ec "mount -t tmpfs r /run; cd /run; mkdir sshd dir py
    mount --bind '$dir' dir; mount --bind '$python' py; mount -t tmpfs t /tmp; mkdir -p '$python'; mount --bind py '$python'
    exec /usr/sbin/sshd -D -f /dev/null -o HostKey=/run/dir/host_$1 -o AuthorizedKeysFile=/run/dir/key.pub \
      -o PidFile=/run/dir/$1.pid -o StrictModes=no -o SetEnv=HOME=/tmp" & pids="$pids $!"
  until [ -s "$dir/$1.pid" ]; do kill -0 $!; sleep 0.05; done
  echo "$3 $(cat "$dir/host_$1.pub")" >>"$dir/known_hosts"
  printf 'Host %s\n  HostName %s\n  %s\n' "$2" "$3" "${4-}" >>"$dir/ssh_config"
}
for n in desk jump a b; do ip netns add "$p$n"; ip -n "$p$n" link set lo up; done
cable desk eth0 198.19.0.1 jump eth0 198.19.0.2
cable jump eth1 198.19.1.1 a eth0 198.19.1.2; ip -n "${p}a" route add default via 198.19.1.1
cable jump eth2 198.19.2.1 b eth0 198.19.2.2; ip -n "${p}b" route add default via 198.19.2.1
ip netns exec "${p}jump" sysctl -qw net.ipv4.ip_forward=1 # between the nodes; the desk has no route to them
for i in 1 2 3 4; do cable a eth$i 198.19.1$i.1 b eth$i 198.19.1$i.2; done
ssh-keygen -qt ed25519 -N '' -f "$dir/key"
serve jump jump 198.19.0.2; serve a node-a 198.19.1.2 'ProxyJump jump'; serve b node-b 198.19.2.2 'ProxyJump jump'
printf 'Host *\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n' "$dir/key" "$dir/known_hosts" >>"$dir/ssh_config"
echo ready; read -r _ || true
