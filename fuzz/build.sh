#!/bin/sh
# Build the fuzz targets the way OSS-Fuzz and ClusterFuzzLite ask for: into
# $OUT, with their $CC, $CXX, $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE.
#
# Models are compiled with our own flags, and by clang whatever $CC is: their
# instrumentation is heddle's (src/engine/access.c), and coverage counters in
# them would be ops.  Everything else takes $CFLAGS without the coverage: what
# a run covers is told by fuzz/feedback.c.  Engines other than libFuzzer hear
# of it through guards (HEDDLE_GUARDS).
#
# One program under a name per scenario variant: <scenario>-<variant>_fuzzer.
set -eu
cd "$(dirname "$0")/.."

: "${OUT:?where the targets go}"
: "${CC:=clang}" "${CXX:=clang++}" "${CFLAGS:=-O2 -g}" "${CXXFLAGS:=-O2 -g}"
: "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${WORK:=$(mktemp -d)}" "${MODEL_CC:=clang}" "${JOBS:=$(nproc)}"
command -v "$MODEL_CC" >/dev/null || MODEL_CC=clang-14

# Which engine will read the coverage?
case "${FUZZING_ENGINE:-} $LIB_FUZZING_ENGINE" in
libfuzzer\ * | \ *-fsanitize=fuzzer*) guards= ;;
*) guards=-DHEDDLE_GUARDS ;;
esac

# The Makefile knows the sources and the flags.
eval "$(make -s --no-print-directory fuzz-show)"

# afl-clang-fast instruments unless told not to.
own="$(printf ' %s ' "$CFLAGS" | sed 's/ -fsanitize=fuzzer[a-z-]* / /
s/ -fsanitize-coverage=[^ ]* / /g')"

one() { # SOURCE: its object in $WORK
	object=$WORK/$(echo "$1" | tr / _).o
	case " $models " in
	*" $1 "*)
		"$MODEL_CC" $model_flags -c "$1" -o "$object.tmp"
		objcopy $model_objcopy "$object.tmp" "$object" ;;
	*)
		AFL_NOOPT=1 $CC $own $base_flags $guards -c "$1" -o "$object" ;;
	esac
}

mkdir -p "$OUT" "$WORK"
n=0 pids= objects=
for source in $core $harness $models; do
	one "$source" &
	pids="$pids $!"
	objects="$objects $WORK/$(echo "$source" | tr / _).o"
	n=$((n + 1))
	if [ "$n" -ge "$JOBS" ]; then
		for pid in $pids; do wait "$pid"; done
		n=0 pids=
	fi
done
for pid in $pids; do wait "$pid"; done

$CXX $CXXFLAGS -no-pie -o "$WORK/heddle_fuzzer" $objects $LIB_FUZZING_ENGINE

# AFL++ loads mutators; ours asks the target.
[ "${FUZZING_ENGINE:-}" != afl ] ||
	"$MODEL_CC" -O2 -g -fPIC -shared -o "$OUT/heddle_afl_mutator.so" \
		fuzz/afl/mutator.c

"$WORK/heddle_fuzzer" --targets 2>/dev/null |
while read -r scenario variant; do
	case $scenario in bench_*) continue ;; esac
	name=$scenario-${variant}_fuzzer
	cp "$WORK/heddle_fuzzer" "$OUT/$name"
	if ls "corpus/seed/$scenario/"* >/dev/null 2>&1 &&
	    command -v zip >/dev/null; then
		zip -q -j "$OUT/${name}_seed_corpus.zip" "corpus/seed/$scenario/"*
	fi
	printf '[libfuzzer]\nentropic = 0\ntimeout = 10\n' >"$OUT/$name.options"
done
