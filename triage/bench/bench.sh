#!/bin/sh
# The speed table: figures beside the goals and the peers' figures; then the
# gate, instructions per run against triage/bench/instructions.tsv (+5 %).
#   bench.sh BUILD [--write]     --write: commit what was counted
set -eu
b=$1
write=${2:-}
bench=$b/t/bench
here=$(dirname "$0")
tab=$here/instructions.tsv
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

rate() { # target mode runs: the median of five
	for _ in 1 2 3 4 5; do "$bench" "$1" "$2" "$3"; done |
		sed 's/.*rate=\([0-9]*\).*/\1/' | sort -n | sed -n 3p
}

value() { # target mode key
	"$bench" "$1" "$2" 2000 | sed "s/.*$3=\([0-9.]*\).*/\1/"
}

fuzz_rate() { # scenario variant: per CPU second, warm-up included
	f=$b/fuzz/$1_fuzzer
	[ -x "$f" ] || { echo -; return; }
	sh -c '"$@" >/dev/null 2>&1; times' - "$f" --variant="$2" \
		-runs=200000 -seed=1 -verbosity=0 |
		awk 'NR == 2 { gsub(/[ms]/, " ");
			printf "%.0f\n", 200000 / ($1 * 60 + $2 + $3 * 60 + $4) }'
}

counted() { # target mode: instructions per run, start-up taken off
	for n in 200 1200; do
		valgrind --tool=cachegrind --cache-sim=no \
			--cachegrind-out-file=/dev/null \
			"$bench" "$1" "$2" $n 2>&1 |
			sed -n 's/.*I *refs: *//p' | tr -d ,
	done | { read -r x; read -r y; echo $(((y - x) / 1000)); }
}

line() { printf '%-35s %8s %6s %6s  %-10s %s\n' "$@"; }

row() { # label target mode goal reference
	line "$1" "$(rate "$2" "$3" 100000)" "$(value "$2" "$3" ops)" \
		"$(value "$2" "$3" switches)" "$4" "$5"
}

peers() { # a second line for more references than fit into one
	line "" "" "" "" "" "$1"
}

echo "runs per CPU second of one core, all oracles (median of 5)"
line what runs/s ops switch goal reference
row "4 tasks, 100 ops, switch at each op" bench_100_ops uniform ">= 200000" \
	"prototype 269 k"
peers "real threads 7 k"
row "4 tasks, 100 ops, few switches" bench_100_ops few ">= 700000" \
	"prototype 916 k"
row "(a) ABBA" bench_abba:fixed uniform ">= 500000" \
	"Relacy 223 k"
peers "Shuttle 53-72 k, Loom 9-15 k"
peers "Nidhugg 4.3 k, GenMC 2.1 k"
row "(b) lost update" bench_lost_update:fixed uniform ">= 1000000" \
	"Relacy 507 k"
peers "Nidhugg 6.9 k, GenMC 5.3 k"
row "(c) 3-task VMA lock" bench_vma_lock:fixed uniform ">= 500000" \
	"Relacy 355 k"
peers "GenMC 6.3 k, Nidhugg 4.4 k"
row "fault_vs_munmap:v10, every op" fault_vs_munmap:v10 uniform - -
row "fault_vs_munmap:v10, few switches" fault_vs_munmap:v10 few - -
line "in libFuzzer: 4 tasks, 100 ops" "$(fuzz_rate bench_100_ops clean)" \
	"" "" ">= 120000" "prototype 160-213 k"
peers "default flags 70 k"
line "in libFuzzer: fault_vs_munmap:v10" "$(fuzz_rate fault_vs_munmap v10)" \
	"" "" ">= 120000" -

echo
echo "what the oracles cost by themselves"
"$bench" abba:buggy oracles

command -v valgrind >/dev/null || {
	echo "instructions: valgrind is not installed, the gate was not checked"
	exit 0
}
echo
echo "instructions per run (the gate: +5 % over the committed count)"
status=0
for k in "bench_100_ops uniform 15000" "bench_100_ops few 8000" \
	"bench_abba:fixed uniform -" "bench_lost_update:fixed uniform -" \
	"bench_vma_lock:fixed uniform -" "fault_vs_munmap:v10 uniform -"; do
	set -- $k
	now=$(counted "$1" "$2")
	was=$(awk -v a="$1" -v m="$2" '$1 == a && $2 == m { print $3 }' \
		"$tab" 2>/dev/null || true)
	verdict=new
	if [ -n "$was" ]; then
		verdict=ok
		[ $((now * 100)) -le $((was * 105)) ] || { verdict=SLOWER; status=1; }
	fi
	printf '%-24s %-8s %7d   committed %-7s goal <= %-6s %s\n' \
		"$1" "$2" "$now" "${was:--}" "$3" "$verdict"
	printf '%s\t%s\t%d\n' "$1" "$2" "$now" >> "$tmp/tab"
done
[ -z "$write" ] || {
	echo "# instructions of one run: scenario, mode, count (valgrind)"
	cat "$tmp/tab"
} > "$tab"
exit $status
