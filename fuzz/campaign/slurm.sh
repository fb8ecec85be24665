#!/bin/sh
# SPDX-License-Identifier: MIT
# A fuzz campaign on the machines of a Slurm cluster.
#
#   sh fuzz/campaign/slurm.sh [OPTIONS] [SCENARIO[:VARIANT]...]
#
#   --out=DIR       all of it; on a file system that every node sees (slurm.out)
#   --time=TIME     of fuzzing, of each job: 90s, 30m, 8h (1h)
#   --jobs=N        fuzz jobs, one CPU each (as many as the cluster has CPUs)
#   --heddle=FILE   the program, on every node (build/heddle)
#   --sbatch=FLAGS  more flags for sbatch: partition, account, ...
#   --wait          end when the report is there, with its exit status
#
# Without a name: every scenario variant.  canary_abba:planted, a planted bug, is
# always among them: a night in which it is not found counts as failed.
#
# An array of fuzz jobs shares out the targets; each writes to a folder of its own,
# and one whose node dies is queued again and goes on from what is there.  Then,
# one after the other: merge the corpora, group the findings by signature, minimise
# one of each, and report.  In DIR:
#
#   jobs/TARGET/K/             what fuzz job K of that target left
#   corpus/TARGET/             merged; the next campaign in DIR begins with it
#   findings/TARGET/SIGNATURE/ min.sched, report.txt, and found.* as it was found
#   summary.txt                the morning page
#
# The report's exit status: 0 done, 1 without the canary, 2 a job left no result.
set -eu

canary=canary_abba:planted

die() {
	echo "slurm.sh: $*" >&2
	exit 2
}

# --- what the jobs do: slurm.sh --stage=NAME DIR ------------------------------

# A whole file or none.
put() { # FILE, from standard input
	cat >"$1.tmp" && mv "$1.tmp" "$1"
}

# Variants' names have a colon, which some file systems do not want.
folder() {
	printf '%s' "$1" | tr : .
}

# A job's share: every jobs-th one of the units; unit k is of target k modulo their
# number, so that with more jobs than targets several work on the same one.
stage_fuzz() {
	targets=$(wc -l <"$dir/targets")
	units=$((jobs > targets ? jobs : targets))
	share=$(((units + jobs - 1 - SLURM_ARRAY_TASK_ID) / jobs))
	k=$SLURM_ARRAY_TASK_ID
	while [ "$k" -lt "$units" ]; do
		fuzz_one "$(sed -n "$((k % targets + 1))p" "$dir/targets")" "$k"
		k=$((k + jobs))
	done
}

fuzz_one() { # target, unit
	out=$dir/jobs/$(folder "$1")/$2
	[ ! -e "$out/status" ] || return 0 # before the node died
	mkdir -p "$out/corpus" "$dir/corpus/$(folder "$1")"
	each=$((seconds / share))
	status=0
	"$heddle" fuzz "$1" --out="$out" -seed=$(($2 + 1)) \
		-max_total_time=$((each > 0 ? each : 1)) "$out/corpus" \
		"$dir/corpus/$(folder "$1")" >"$out/heddle.log" 2>&1 ||
		status=$?
	echo "$status" | put "$out/status"
}

stage_merge() {
	while read -r target; do
		name=$(folder "$target")
		[ -d "$dir/jobs/$name" ] || continue
		rm -rf "$dir/corpus/$name.new"
		mkdir -p "$dir/corpus/$name.new" "$dir/corpus/$name"
		"$heddle" fuzz "$target" -merge=1 "$dir/corpus/$name.new" \
			"$dir/corpus/$name" "$dir/jobs/$name"/*/corpus \
			>"$dir/jobs/$name/merge.log" 2>&1 || {
			echo "$target: merge failed, corpora are left as they are" >&2
			continue
		}
		rm -rf "$dir/corpus/$name"
		mv "$dir/corpus/$name.new" "$dir/corpus/$name"
	done <"$dir/targets"
}

# dedup prints "TARGET SIGNATURE" and, below, "N files; smallest: FILE (...)".
stage_dedup() {
	while read -r target; do
		name=$(folder "$target")
		[ -d "$dir/jobs/$name" ] || continue
		"$heddle" dedup "$dir/jobs/$name" --scenario="$target" |
			while read -r line; do
				case $line in
				"$target clean") signature= ;;
				"$target "*) signature=${line#"$target "} ;;
				*'; smallest: '*)
					file=${line#*; smallest: }
					[ -z "$signature" ] ||
						keep "$name" "$signature" \
							"${file% (*}" ;;
				esac
			done
	done <"$dir/targets"
}

keep() { # folder, signature, file
	to=$dir/findings/$1/$(printf '%s' "$2" | tr -cs 'A-Za-z0-9._' -)
	case $3 in
	*.sched) found=found.sched ;;
	*) found=found.bin ;;
	esac
	mkdir -p "$to"
	printf '%s\n' "$2" | put "$to/signature"
	put "$to/$found" <"$3"
}

each_finding() { # call $1 in each one's folder, with target and signature
	while read -r target; do
		for at in "$dir/findings/$(folder "$target")"/*/; do
			[ ! -e "$at/signature" ] ||
				"$1" "${at%/}" "$target" "$(cat "$at/signature")"
		done
	done <"$dir/targets"
}

stage_min() {
	each_finding minimise
}

minimise() { # folder, target, signature
	[ ! -e "$1/min.sched" ] || return 0
	for file in "$1"/found.*; do
		of=
		[ "$file" != "$1/found.bin" ] || of=--scenario=$2
		"$heddle" min "$file" $of --want="$3" -o "$1/min.sched" \
			>"$1/min.log" 2>&1 || [ -e "$1/min.sched" ] ||
			echo "$1: not minimised, see min.log" >&2
	done
}

stage_report() {
	each_finding report
	missing=0
	while read -r target; do
		for out in "$dir/jobs/$(folder "$target")"/*/; do
			[ -e "$out/status" ] || missing=$((missing + 1))
		done
	done <"$dir/targets"
	summary "$missing" | put "$dir/summary.txt"
	cat "$dir/summary.txt"
	ls -d "$dir/findings/$(folder $canary)"/*/ >/dev/null 2>&1 || return 1
	[ "$missing" = 0 ] || return 2
}

report() { # folder, target, signature
	for file in "$1/min.sched" "$1/found.sched" "$1/found.bin"; do
		[ -e "$file" ] || continue
		"$heddle" show "$file" --scenario="$2" --want="$3" |
			put "$1/report.txt" || true
		break
	done
}

summary() { # jobs without a result
	echo "heddle: Slurm campaign, $(wc -l <"$dir/targets") targets, $jobs jobs" \
		"of $seconds seconds"
	[ "$1" = 0 ] || echo "WITHOUT A RESULT: $1 jobs; look at their heddle.log"
	ls -d "$dir/findings/$(folder $canary)"/*/ >/dev/null 2>&1 ||
		echo "THE CANARY WAS NOT FOUND: this night does not count"
	each_finding line
}

line() { # folder, target, signature
	printf '\n%s: %s\n  %s\n' "$2" "$3" "${1#"$dir/"}/report.txt"
	grep -h '^proved\|^not proved\|^no preemption needed' "$1/min.log" |
		sed 's/^/  /' || true
}

case ${1-} in
--stage=*)
	stage=${1#--stage=} dir=$2
	. "$dir/settings"
	"stage_$stage"
	exit
	;;
esac

# --- submitting it ------------------------------------------------------------

usage() {
	sed -n '3,/^$/{/^# \{0,1\}/!q;s/^# \{0,1\}//;p}' "$0"
}

seconds_of() {
	number=${1%[smh]}
	case $number in
	'' | *[!0-9]*) die "not a time: $1 (90s, 30m, 8h)" ;;
	esac
	case $1 in
	*h) echo $((number * 3600)) ;;
	*m) echo $((number * 60)) ;;
	*) echo "$number" ;;
	esac
}

out=slurm.out time=1h jobs= heddle=build/heddle more= wait=
while [ $# -gt 0 ]; do
	case $1 in
	--out=*) out=${1#*=} ;;
	--time=*) time=${1#*=} ;;
	--jobs=*) jobs=${1#*=} ;;
	--heddle=*) heddle=${1#*=} ;;
	--sbatch=*) more=${1#*=} ;;
	--wait) wait=--wait ;;
	--help) usage; exit ;;
	-*) die "no such option: $1 (--help)" ;;
	*) break ;;
	esac
	shift
done

command -v sbatch >/dev/null || die "no sbatch here (Debian: slurm-client)"
heddle=$(command -v "$heddle") || die "no such program: $heddle"
heddle=$(realpath "$heddle")
self=$(realpath "$0")
seconds=$(seconds_of "$time")
[ -n "$jobs" ] || jobs=$(sinfo -h -o %C | tr / ' ' | awk '{ n += $4 } END { print n }')
case $jobs in
'' | 0 | *[!0-9]*) die "not a number of jobs: $jobs" ;;
esac

all_targets() {
	"$heddle" list --json | perl -MJSON::PP -0777 -ne '
		for my $s (@{decode_json($_)}) {
			print "$s->{name}:$_->{name}\n" for @{$s->{variants}};
		}'
}

mkdir -p "$out" || die "cannot make $out"
dir=$(realpath "$out")
if [ $# -gt 0 ]; then
	printf '%s\n' "$@"
else
	all_targets
fi | { echo $canary; grep -vx $canary || true; } | put "$dir/targets"
rm -rf "$dir/jobs" "$dir/summary.txt" # of the campaign before; its corpus stays
mkdir -p "$dir/jobs" "$dir/findings"
put "$dir/settings" <<EOF
heddle='$heddle' seconds=$seconds jobs=$jobs
EOF

submit() { # stage, flags...
	stage=$1
	shift
	sbatch --parsable --job-name="heddle-$stage" --ntasks=1 --cpus-per-task=1 \
		--output="$dir/jobs/$stage.%A.%a.out" $more "$@" \
		--wrap="sh '$self' --stage=$stage '$dir'" || die "sbatch failed"
}

minutes=$((seconds / 60 + 1))
fuzz=$(submit fuzz --requeue --array="0-$((jobs - 1))" --time=$((minutes * 2 + 30)))
merge=$(submit merge --dependency="afterany:$fuzz")
dedup=$(submit dedup --dependency="afterany:$merge")
min=$(submit min --dependency="afterany:$dedup")
echo "submitted: fuzz $fuzz, merge $merge, dedup $dedup, min $min"
echo "the report will be in $dir/summary.txt"
status=0
submit report --dependency="afterany:$min" $wait || status=$?
[ -z "$wait" ] || cat "$dir/summary.txt"
exit $status
