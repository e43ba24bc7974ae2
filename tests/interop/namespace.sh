#!/bin/sh
# Runs a command in a network namespace of its own: loopback, and one leg of a veth pair with 10.99.0.1 and fd99::1,
# because browsers and libraries do not offer loopback candidates. Nothing inside reaches the world, or is reached.
#
#   namespace.sh COMMAND [ARGUMENT...]
set -eu

setup='ip link set lo up &&
ip link add eth0 type veth peer name eth0p &&
ip addr add 10.99.0.1/24 dev eth0 &&
{ ip -6 addr add fd99::1/64 dev eth0 nodad || true; } &&
ip link set eth0 up && ip link set eth0p up &&
ip route add default via 10.99.0.254'

if unshare -n true 2>/dev/null; then
    flags=-n
elif unshare -rn true 2>/dev/null; then
    flags=-rn
else
    echo "cannot make a network namespace: run as root, or allow user namespaces (unshare -n, unshare -rn)" >&2
    exit 1
fi
# a command that waits for its terminal would wait forever
exec unshare "$flags" sh -c "{ $setup; } || { echo 'cannot set up the network namespace (iproute2, veth)' >&2; exit 1; }
exec \"\$@\"" namespace "$@"
