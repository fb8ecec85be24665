#!/bin/sh
# readers.sh BUILD RUNS [DIR]: give the readers of texts (readers.c) their seeds,
# then mutants of them, RUNS inputs in all.  What is found is left in DIR
# (BUILD/readers), and so is the corpus, with which the next start goes on.
set -eu
build=$1 runs=$2 dir=${3:-$1/readers}
rm -rf "$dir/seeds"
mkdir -p "$dir/seeds" "$dir/corpus"

# Schedules: some with each kind of edit, and those that reports are held to.
# (Not all of the corpus: to change the scenario costs more than to read.)
n=0
for f in triage/golden/*.sched $(for kind in switch irq signal fail choose; do
		grep -l "^$kind " corpus/regress/*/*/min.sched | head -n 4
	done | sort -u); do
	n=$((n + 1))
	cp "$f" "$dir/seeds/$n.sched"
done
# Lock programs: one of each group with each verdict, four a file.
grep -v '^#' corpus/lockdep/cases.tsv | sort -u -t"$(printf '\t')" -k2,2 -k5,5 |
	split -a 4 -l 4 - "$dir/seeds/lockdep."
"$build/heddle" explore abba --certificate="$dir/seeds/abba.cert" \
	>/dev/null || [ $? = 1 ]
printf '\3\1\0\0\0\0\0\4\0\1\0\2\1\1\0\1\0' >"$dir/seeds/binary"
# Lists that are full, or nearly: 1024 edits, 1024 lines.  (No mutant is longer
# than the longest seed, at first: that is the second.)
{
	sed -n '1,/^base/p' corpus/regress/abba.buggy/deadlock-a-b/min.sched
	seq -f 'fail first %.0f' 1024
	echo 'hash -'
} >"$dir/seeds/edits.sched"
{
	grep -v '^relative' "$dir/seeds/abba.cert"
	yes 'verdict deadlock a b' | head -n 1000
	grep '^relative' "$dir/seeds/abba.cert"
} >"$dir/seeds/lines.cert"

# ASan keeps 256 MB of what was freed unless it is told.
ASAN_OPTIONS=quarantine_size_mb=8 exec "$build/readers/fuzzer" \
	-runs="$runs" -seed=1 -timeout=5 -rss_limit_mb=512 -max_len=32768 \
	-len_control=20 -use_value_profile=1 -dict=triage/fuzz/dictionary \
	-artifact_prefix="$dir/" -print_final_stats=1 -close_fd_mask=3 \
	"$dir/corpus" "$dir/seeds"
