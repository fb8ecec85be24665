#!/bin/sh
# make demo: seed 004, from the patch mail to minimal counterexamples.  Finds both
# violations of vm_refcnt v6 10/16, shows that v7 cured only one of them, and
# that the merged form (v10) survives every interleaving of the model.
set -eu
heddle=${HEDDLE:-build/heddle}

say() {
	printf '\n--- %s\n\n' "$*"
}

# A verdict found is what we want here: exit status 1 is success.
find_it() {
	status=0
	"$heddle" "$@" || status=$?
	[ $status = 1 ] || { echo "demo: expected a verdict" >&2; exit 1; }
}

say 'v6 10/16: what the mail says: lockdep map held on return to user space'
find_it run fault_vs_munmap:v6 --want=held-at-user

say 'v6 10/16: what it does not say: a read lock granted on a detached VMA'
find_it run fault_vs_munmap:v6 --want=detached-read-lock

say 'v7 12/17 waits for readers at detach: the second is gone, the first is not'
find_it explore fault_vs_munmap:v7 --preemptions=5

say 'v10 12/18, as merged in 6.15: every interleaving'
"$heddle" explore fault_vs_munmap:v10
