#!/bin/sh
# SPDX-License-Identifier: MIT
# Does any oracle ever fire on a clean variant?  `make soak`, for a long night:
#
#   sh triage/soak.sh [build/heddle]
#
# SCHEDULES of the portfolio (default 10 million) over all variants that declare
# no verdict, the same number for each; then each that tests search only up to a
# bound is searched one preemption further, for at most FURTHER schedules
# (default 1 million).  One line a variant, exit status 1 if a verdict showed.
# SEED (default 1) is that of the schedules; go on with another one.
set -u

heddle=${1:-build/heddle}
schedules=${SCHEDULES:-10000000}
further=${FURTHER:-1000000}
seed=${SEED:-1}

# variant, its bound or "none"
clean() {
	"$heddle" list --json | perl -MJSON::PP -0777 -ne '
		for my $s (@{decode_json($_)}) {
			for my $v (@{$s->{variants}}) {
				next if @{$v->{expect}};
				my $bound = $v->{sampled} ? "none" :
				    $v->{bound} // "none";
				print "$s->{name}:$v->{name} $bound\n";
			}
		}'
}

result() { # name, output, exit status
	printf '%-45s %s\n' "$1" "$(printf '%s\n' "$2" | tail -n 1 |
		sed 's/.*\(schedules=[0-9]*\).*\(complete=[a-z]*\).*\(bound=[a-z0-9]*\).*signatures=\([^ ]*\).*/\1 \2 \3 \4/')"
	[ "$3" -ne 1 ] || failed=$((failed + 1))
}

list=$(clean) || exit 2
n=$(printf '%s\n' "$list" | wc -l)
each=$((schedules / n + 1))
failed=0
while read -r name bound; do
	out=$("$heddle" run "$name" --keep-going --seed="$seed" \
		--schedules="$each" 2>&1)
	result "$name" "$out" $?
	[ "$bound" != none ] || continue
	out=$("$heddle" explore "$name" --preemptions=$((bound + 1)) \
		--max-schedules="$further" 2>&1)
	result "$name" "$out" $?
done <<END
$list
END
echo "soak: variants=$n schedules=$((each * n)) failed=$failed"
[ "$failed" -eq 0 ]
