#!/bin/sh
# SPDX-License-Identifier: MIT
# Make corpus/regress and corpus/seed again, from what the variants declare.
#
#   sh triage/make_corpus.sh [build/heddle]       (about a minute)
#
# regress/<scenario>.<variant>/<signature>/min.sched, report.txt: for each
# verdict that a variant is expected to show, the smallest schedule, found by
# exhausting 0, 1 ... preemptions up to the largest number declared; report.txt
# is what `heddle show --format=mail` prints of it.  Run it after a change of a model
# (names of functions and numbers of ops are anchors), look at the difference,
# commit it.
#
# Two schedules are pinned by hand, see mail_order() below.
#
# triage/golden/lockdep-<variant>.<verdict>.sched: one for each report of lockdep;
# UPDATE=1 prove triage/t/show.t then writes the texts.
#
# seed/<scenario>/: binary schedules to begin a fuzz campaign with: each base
# strategy, and a few hand-overs; nothing that shows a planted bug at once.
set -eu

heddle=$(readlink -f "${1:-build/heddle}")
top=$(cd "$(dirname "$0")/.." && pwd)
new=$(mktemp -d "$top/corpus.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM
cd "$new"
mkdir -p corpus/regress corpus/seed

# scenario.variant, its largest number of preemptions
expectations() {
	"$heddle" list --json | perl -MJSON::PP -0777 -ne '
		for my $s (@{decode_json($_)}) {
			for my $v (@{$s->{variants}}) {
				my $max = -1;
				for (@{$v->{expect}}) {
					my $at = $_->{preemptions} // 2;
					$max = $at if $at > $max;
				}
				print "$s->{name} $v->{name} $max\n"
				    if $max >= 0;
			}
		}'
}

# DIR: FILE.sched becomes DIR/min.sched, with its report
keep() {
	mkdir -p "$2"
	mv "$1" "$2/min.sched"
	"$heddle" show --format=mail "$2/min.sched" > "$2/report.txt"
}

expectations > expectations
while read -r scenario variant max; do
	echo "$scenario:$variant, $max preemptions" >&2
	"$heddle" explore "$scenario:$variant" --preemptions="$max" \
		--out=found --check > log || { cat log >&2; exit 1; }
	for f in found/*.sched; do
		slug=$(basename "$f" .sched)
		keep "$f" "corpus/regress/$scenario.$variant/$slug"
	done
	rm -rf found
done < expectations

# n-th op of a task at which a statement matches, in a schedule's run
op() {
	"$heddle" show --format=json "$1" | perl -MJSON::PP -0777 -ne '
		BEGIN { ($task, $what) = splice @ARGV, 0, 2 }
		for (@{decode_json($_)->{events}}) {
			next unless $_->{task} eq $task && $_->{n} &&
			    ($_->{statement} // "") =~ $what;
			print $_->{n};
			last;
		}' "$2" "$3"
}

# A schedule over run-to-block: switches "task n other", tasks by number.
switches() {
	perl -e 'print pack("CV", 0, 0),
		map { pack "CCvv", 0, split / / } @ARGV' "$@"
}

# The order that Peter Zijlstra drew (seed 004): vma_start_write(); the fault's
# increment; the detach's dec_and_test 2->1; the second look at the sequence, and
# 1->0 without rwsem_release().  The early check, which the drawing leaves out,
# must come before vma_start_write().  As drawn, munmap still holds mmap_lock:
# circular.  If the fault is preempted once more, before it tries mmap_lock, the
# same order ends as held-at-user.
mail_order() {
	dir=corpus/regress/fault_vs_munmap.v6
	from=$dir/held-at-user-vm_lock/min.sched
	inc=$(op "$from" fault 'inc_not_zero_limited')
	try=$(op "$from" fault 'mmap_read_trylock|down_read_trylock')
	detach=$(op "$from" munmap 'dec_and_test')
	set -- "0 1 1" "1 $inc 0" "0 $detach 1" "1 $((inc + 1)) 0" \
		"0 $((detach + 1)) 1"
	switches "$@" > mail.bin
	switches "$@" "1 $try 0" > user.bin
	"$heddle" min --scenario=fault_vs_munmap:v6 --as-is \
		--want=circular mail.bin -o mail.sched > /dev/null
	"$heddle" min --scenario=fault_vs_munmap:v6 --as-is \
		--want=held-at-user user.bin -o user.sched > /dev/null
	keep mail.sched $dir/mail-order-circular
	keep user.sched $dir/mail-order-held-at-user
}
mail_order

# kind task anchor argument
edits() {
	perl -e 'print pack("CV", splice @ARGV, 0, 2),
		map { pack "CCvv", split / / } @ARGV' "$@"
}

"$heddle" list --json |
	perl -MJSON::PP -0777 -ne 'print "$_->{name}\n" for @{decode_json($_)}' |
while read -r scenario; do
	d=corpus/seed/$scenario
	mkdir "$d"
	edits 0 0 > "$d/run-to-block"
	edits 1 1 > "$d/random"
	edits 2 1 > "$d/pct"
	edits 3 1 > "$d/pos"
	edits 4 1 > "$d/surw"
	edits 0 0 '0 0 1 1' > "$d/other-first"
	edits 0 0 '0 0 4 1' > "$d/hand-over"
	edits 3 2 '1 0 3 0' '1 1 3 0' > "$d/hold"
	edits 3 3 '2 0 1 1' '4 0 1 0' > "$d/choose-and-fail"
done

rm -f "$top"/triage/golden/lockdep-*
for f in corpus/regress/lockdep_reports.*/*/min.sched; do
	name=$(echo "$f" | sed 's|.*lockdep_reports\.\(.*\)/\(.*\)/min.sched|\1.\2|')
	case $name in
	*.deadlock-*) ;;
	*) cp "$f" "$top/triage/golden/lockdep-$name.sched" ;;
	esac
done

mkdir -p "$top/corpus"
rm -rf "$top/corpus/regress" "$top/corpus/seed"
mv corpus/regress corpus/seed "$top/corpus/"
echo "corpus: $(find "$top/corpus/regress" -name min.sched | wc -l) schedules," \
	"$(find "$top/corpus/seed" -type f | wc -l) seeds" >&2
