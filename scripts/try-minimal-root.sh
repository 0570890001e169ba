#!/bin/sh
# Run by hand, as root: proves that a fresh clone works on a Debian that holds nothing but python3 and git (no pip,
# no ensurepip, no certificates, no locale). Tests may not use the network; this may, and needs a package index.
#
#     scripts/try-minimal-root.sh [--suite SUITE] [--read-only] [COMMAND...]
#
# Without COMMAND (one shell line each), runs the demo, the demo on a clone of this repository, the demo as an ordinary
# user in a read-only checkout, and the gate. --read-only runs the COMMANDs like that too. SUITE is `bookworm` (Python 3.11) unless said otherwise; `trixie` has
# Python 3.13. What is committed is tried, not what lies in the work tree. The bare Debian is kept in
# ${TMPDIR:-/tmp}/vizier-minimal-SUITE and made only once; everything else is removed at the end.
set -eu

suite=bookworm user=0 mode=rw
while [ $# -gt 0 ]; do
    case $1 in
        --suite) suite=$2; shift ;;
        --read-only) user=1000 mode=ro ;;
        *) break ;;
    esac
    shift
done
for tool in debootstrap unshare git; do
    command -v "$tool" >/dev/null || { echo "try-minimal-root: needs $tool" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo 'try-minimal-root: needs root, for chroot and mount' >&2; exit 1; }

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
bare="${TMPDIR:-/tmp}/vizier-minimal-$suite"
if [ ! -e "$bare/complete" ]; then
    rm -rf "$bare"
    debootstrap --variant=minbase --include=python3,git "$suite" "$bare" >"$bare.log" 2>&1 || { tail "$bare.log" >&2; exit 1; }
    touch "$bare/complete"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root="$scratch/root"
cp -a "$bare" "$root"
git clone --quiet --no-local "$checkout" "$root/work/vizier"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/home/user"
chown 1000:1000 "$root/home/user"
# What the caller's pip needs to reach its index, the inner one needs too.
[ -z "${PIP_CERT-}" ] || cp "$PIP_CERT" "$root/etc/index-certificates.pem"

# inside USER MODE COMMAND: runs COMMAND in the clone, mounted rw or ro; every process it leaves is ended with it.
inside() {
    echo "---- $3 (user $1, checkout $2)"
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child sh -c '
        set -eu
        root=$1 user=$2 mode=$3 command=$4
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind "$root/work/vizier" "$root/work/vizier"
        mount -o "remount,bind,$mode" "$root/work/vizier"
        home=/home/user
        [ "$user" != 0 ] || home=/root
        cd /
        exec chroot --userspec="$user:$user" "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
            ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} ${PIP_CERT:+PIP_CERT=/etc/index-certificates.pem} \
            sh -c "cd /work/vizier && $command"
    ' inside "$root" "$1" "$2" "$3" </dev/null
    echo "---- $3: done"
}

if [ $# -eq 0 ]; then
    inside 0 rw './demo.sh'
    inside 0 rw './demo.sh .'
    rm -rf "$root/work/vizier/.cache"
    inside 1000 ro './demo.sh'
    inside 0 rw './cicd.sh'
else
    for command; do
        inside "$user" "$mode" "$command"
    done
fi
echo "---- all done on $suite"
