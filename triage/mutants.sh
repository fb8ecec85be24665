#!/bin/sh
# SPDX-License-Identifier: MIT
# Do the clean variants and the tests notice when a model is broken?
# `make mutants`, for a few hours:
#
#   sh triage/mutants.sh [build/heddle [MODEL...]]
#
# heddle mutate over each model file (MODEL: fault, mremap ...), first fast, with
# all clean variants and the tests of the model; then what survived again, with
# variants that are quickly searched to their end, and last with those that take
# longer.  One line a model and pass; each mutant is in build/mutants/MODEL.PASS.
# In the end all that is neither found nor equivalent is listed, and the exit
# status is 1 if that is more than one in twenty.
# JOBS: mutants at a time (default: all CPUs).
set -u

heddle=${1:-build/heddle}
[ $# -eq 0 ] || shift
dir=$(dirname "$heddle")/mutants
mkdir -p "$dir" || exit 2

# model: its tests
models() {
	cat <<'END'
fault memory,mm,check_fault,killed
fork fork,rmap,memory
huge_memory huge_memory
khugepaged huge_memory
madvise munmap,tlb
maps maps
memory memory,rmap,mm,tlb
mempolicy mempolicy
mm mm,mmap,munmap,rmap,vfio,userfaultfd_copy,vma_modify
mmap mmap
mmap_lock mm,vma_lock
mprotect munmap,killed,vma_merge,tlb
mremap mremap,killed,rmap,tlb
munmap munmap,killed,rmap
pagetable mm,huge_memory,memory
pfnmap vfio,mmap
rmap rmap,memory,vma_modify,vma_merge
stack stack
tlb tlb,mremap,memory
uaccess userfaultfd,check_user
userfaultfd userfaultfd,userfaultfd_copy,userfaultfd_move,userfaultfd_lock
userfaultfd_copy userfaultfd,userfaultfd_copy,userfaultfd_move,userfaultfd_lock
userfaultfd_move userfaultfd,userfaultfd_copy,userfaultfd_move,userfaultfd_lock
userfaultfd_wp userfaultfd,userfaultfd_copy,userfaultfd_move,userfaultfd_lock
vfio vfio
vfio_forms vfio
vma_iter stack
vma_lock vma_lock,killed,vma_lock_reuse
vma_lock_gen1 vma_lock,killed,vma_lock_reuse
vma_lock_v10 vma_lock,killed,vma_lock_reuse
vma_merge vma_merge,vma_modify,killed,munmap,mempolicy
vma_modify vma_merge,vma_modify,killed,munmap,mempolicy
vma_tree vma_tree,munmap
END
}

quick="fault_vs_mprotect:6.15-pages fault_vs_merge:6.6 fault_vs_merge:6.15
	uffd_move_vs_mprotect:merged uffd_move_vs_mprotect:merged-user
	uffd_copy_vs_writer:4.3-munmap stack_fault_vs_fault:6.5
	vfio_fault_vs_disable:6.10 fault_vs_killed_writer:mprotect
	fault_vs_mmap:6.5 fault_vs_mmap:6.15 uffd_wp_vs_exit:5.15
	stack_fault_vs_walk:6.5 maps_vs_split:split"
slow="vfio_reset_vs_reset:5.14 fault_vs_shrink:6.2 maps_vs_split:split
	mremap_vs_reclaim:6.15 mremap_vs_reclaim:6.18.8"

pass() { # number, model, its tests, options and variants
	n=$1 model=$2 tests=$3
	shift 3
	# shellcheck disable=SC2086 # JOBS is one option or none
	"$heddle" mutate "src/mm/$model.c" "--tests=$tests" \
		${JOBS:+"--jobs=$JOBS"} "$@" >"$dir/$model.$n"
	[ $? -le 1 ] || exit 2
	printf '%-18s %s %s\n' "$model" "$n" "$(tail -n 1 "$dir/$model.$n")"
}

again() { # as pass: what survived before
	last=$dir/$2.$(($1 - 1))
	rm -f "$dir/$2.$1"
	[ -f "$last" ] && grep -q -- '-> SURVIVED' "$last" || return 0
	pass "$@" "--again=$last"
}

# What is said last of a mutant counts; but that some variants do not get there
# says nothing of one that others run.
summary() {
	for model; do
		cat "$dir/$model".[123]
	done | awk -v dir="$dir" '
		!/ -> / { next }
		{
			at = index($0, " -> ")
			mutant = substr($0, 1, at - 1)
			split(substr($0, at + 4), word, " ")
			if (!(mutant in verdict))
				order[++n] = mutant
			else if (word[1] == "unreached")
				next
			verdict[mutant] = word[1]
			line[mutant] = $0
		}
		END {
			for (i = 1; i <= n; i++) {
				v = verdict[order[i]]
				count[v]++
				if (v != "found" && v != "equivalent")
					print line[order[i]]
			}
			good = count["found"] + count["equivalent"]
			printf "mutants: %d found=%d equivalent=%d survived=%d unreached=%d unbuilt=%d: %.1f %%\n",
				n, count["found"], count["equivalent"],
				count["SURVIVED"], count["unreached"],
				count["DOES"], n ? 100 * good / n : 0
			exit good < 0.95 * n
		}'
}

[ $# -gt 0 ] || set -- $(models | cut -d ' ' -f 1)
for model; do
	tests=$(models | sed -n "s/^$model //p")
	[ -n "$tests" ] || { echo "mutants: no model $model" >&2; exit 2; }
	pass 1 "$model" "$tests" --max-schedules=0 --schedules=700
	# shellcheck disable=SC2086 # each is a list
	again 2 "$model" "$tests" --max-schedules=5000 --schedules=200 $quick
	# shellcheck disable=SC2086
	again 3 "$model" "$tests" --max-schedules=200000 --schedules=200 $slow
done
summary "$@"
