#!/bin/sh
# SPDX-License-Identifier: MIT
# Does a campaign survive everything?  `make torture`, some minutes:
#
#   sh triage/torture.sh [build/heddle]
#
# An undisturbed campaign over variants that are searched to the end; then one on
# a small tmpfs, killed KILLS times (default 100) at random instants, while the disk
# is full once.  Both must end with the same signatures, and the second one
# without a file that is not whole.  Needs user namespaces, or root.  RANDOM_SEED
# says which instants (default: the time).
set -eu

if [ -z "${TORTURE_INSIDE:-}" ]; then
	TORTURE_INSIDE=1 exec unshare -rm sh "$0" "$@"
fi
heddle=$(readlink -f "${1:-build/heddle}")
kills=${KILLS:-100}
seed=${RANDOM_SEED:-$(date +%s)}
work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/small"
mount -t tmpfs -o size=24m none "$work/small"
cd "$work"
echo "torture: $kills kills, seed $seed"

campaign() { # DIR: until all variants are searched; in the place of this shell
	exec "$heddle" campaign --out="$1" --time=30m --jobs=2 abba binder_vs_munmap \
		fault_vs_mbind fault_vs_merge fault_vs_mmap fault_vs_munmap \
		fault_vs_vma_reuse lockdep_reports lookup_vs_failing_munmap \
		lost_wakeup mremap_vs_reclaim put_under_lock rcu_use_after_gp \
		stack_fault_vs_munmap stack_fault_vs_walk timer_vs_holder \
		two_inits uffd_wp_vs_exit vfio_reset_vs_reset
}

# 0 to MAX seconds, the same ones for a seed
instant() { # number, MAX
	perl -e 'srand($ARGV[0] * 1000 + $ARGV[1]);
		select undef, undef, undef, rand($ARGV[2])' "$seed" "$1" "$2"
}

failed=0
check() { # what, command...
	what=$1
	shift
	if "$@"; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		failed=1
	fi
}

(campaign calm) > calm.out || true
tail -n 1 calm.out

i=0
while [ "$i" -lt "$kills" ]; do
	i=$((i + 1))
	if [ "$i" -eq $((kills / 4)) ]; then
		dd if=/dev/zero of=small/filler bs=4k 2>/dev/null || true
	elif [ "$i" -eq $((kills / 4 + 5)) ]; then
		rm small/filler
	fi
	campaign small/c >> wild.out 2>> wild.err &
	pid=$!
	instant "$i" 2
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
done
# once more, until it is over, and meanwhile the disk is full
campaign small/c > wild.out 2>> wild.err &
pid=$!
dd if=/dev/zero of=small/filler bs=4k 2>/dev/null || true
sleep 3
rm small/filler
wait "$pid" || true
tail -n 1 wild.out

(cd calm/findings && ls) > calm.list
(cd small/c/findings && ls) > wild.list
check "the same $(wc -l < calm.list) signatures" cmp calm.list wild.list
check 'nothing unexpected, and the canary' grep -q \
	' unexpected=0 .* crashes=0 canary=found ' wild.out
check 'nothing beside its place' test -z "$(find small/c -name '*.tmp')"
check 'state.txt is whole' sh -c 'tail -n 1 small/c/state.txt | grep -qx end'
check 'all are minimised' test "$(ls small/c/findings/*/min.sched | wc -l)" -eq \
	"$(wc -l < wild.list)"
check 'and replay as recorded' sh -c \
	"'$heddle' replay --check small/c/findings/*/min.sched > replay.out"
check 'their reports are whole' sh -c \
	'! grep -L "^ *heddle\|heddle replay" small/c/findings/*/report.txt | grep .'
check 'the corpus is whole' sh -c 'cd small/c/corpus && for f in */*; do
	case $f in *.bin) continue ;; esac
	[ "$(sha1sum < "$f" | cut -c1-40)" = "${f##*/}" ] || exit 1
	done'
exit "$failed"
