# heddle: `make` builds build/heddle, heddle-cc, heddle-mutate and build/fuzz/*.
#   make test    everything that must hold, TAP through prove
#   make tidy    the house rules alone          make bench  the speed table
#   make demo    the main job on the mail that heddle comes from
#   make soak    ten million schedules over all clean variants
#   make torture a campaign, killed a hundred times, on a full disk
#   make bench-search  schedules to the first bug of known programs, beside others
#   make bench-feedback  runs to the wanted verdict: libFuzzer, mutator, strategies
#   make fuzz-readers  100,000 broken files for what reads texts
#   make mutants every model broken in every place, for some hours
#   make install  everything to DESTDIR/prefix (/usr/local); make uninstall
#   V=1          show commands                  SAN=address,undefined
#   CORO=ucontext  coroutines without assembly  CC=gcc  (models: always clang)

VERSION = 0.1
CC = clang-14
MODEL_CC = clang-14
ARCH := $(shell uname -m)
FUZZ_CXX = clang++-14
OBJCOPY = objcopy
B = build$(if $(SAN),-san)$(if $(filter gcc%,$(CC)),-gcc)$(if $(CORO),-$(CORO))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

BASE = -std=gnu11 -g -gdwarf-4 -fno-pie -fno-common -fno-omit-frame-pointer \
	-Iinclude -Wall -Wextra -Wno-missing-field-initializers -MMD -MP
# popcnt: every x86-64 machine since 2009; aligned: what is linked before a hot
# function shall not decide over 5 % of the rate
OPT = -O2 -falign-functions=64 $(if $(filter x86_64,$(ARCH)),-mpopcnt)
ifdef SAN
SANFLAGS = -fsanitize=$(SAN) -fno-sanitize-recover=all \
	$(if $(filter clang%,$(CC)),-fsanitize-address-use-after-return=never)
endif
CFLAGS = $(OPT) $(BASE) $(SANFLAGS) -DHEDDLE_VERSION='"$(VERSION)"'
# Plain accesses of models become calls to our own runtime (src/engine/access.c);
# what these flags do is explained in ARCHITECTURE.md.
MODEL_FLAGS = -std=gnu11 -O1 -g -gdwarf-4 -fno-pie -fno-common \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls \
	-fno-vectorize -fno-slp-vectorize -fno-builtin \
	-fsanitize=thread -mllvm -tsan-distinguish-volatile=1 \
	-mllvm -tsan-instrument-read-before-write=1 \
	-mllvm -tsan-instrument-func-entry-exit=0 \
	-ffile-prefix-map=$(CURDIR)/= -Iinclude -Wall -Wextra -Wno-missing-field-initializers -MMD -MP
MODEL_OBJCOPY = --set-section-flags .bss=alloc,load,contents,data \
	--rename-section .bss=hd_data --rename-section .data=hd_data \
	--redefine-sym memcpy=hd_memcpy --redefine-sym memmove=hd_memmove \
	--redefine-sym memset=hd_memset
LDFLAGS = -no-pie $(SANFLAGS)

# --- sources -----------------------------------------------------------------
coro := $(if $(CORO),src/engine/coro_ucontext.c,src/engine/coro.c \
	src/engine/coro_$(ARCH).S)
engine := $(filter-out src/engine/coro%,$(filter-out %_test.c,\
	$(wildcard src/engine/*.c))) $(coro)
oracle := $(filter-out %_test.c,$(wildcard src/oracle/*.c))
kernel := $(filter-out %_test.c,$(wildcard src/kernel/*.c))
checks := $(filter-out %_test.c,$(wildcard src/mm/check*.c))
posix := $(filter-out %_test.c,$(wildcard src/posix/*.c))
core := $(engine) $(oracle) $(kernel) $(posix) $(checks) src/run.c
mm_model := $(filter-out %_test.c src/mm/check%,$(wildcard src/mm/*.c))
scenarios := $(wildcard src/scenario/*.c)
models := $(mm_model) $(scenarios)
triage := $(filter-out %_test.c,$(wildcard triage/*.c)) triage/new_frame.S \
	triage/heddle_gdb.S

obj = $(patsubst %,$(B)/obj/%.o,$(basename $(1)))
core_o := $(call obj,$(core))
mm_o := $(call obj,$(mm_model))
scenario_o := $(call obj,$(scenarios))
triage_o := $(call obj,$(triage))

.PHONY: all test tidy bench demo soak torture mutants clean
.SECONDARY:
all: $(B)/heddle $(B)/heddle-cc $(B)/heddle-mutate

# --- what must be installed ----------------------------------------------------
include .ci/packages.mk

# --- rules -----------------------------------------------------------------------
# Model objects: everything that is instrumented.  Tests of the kernel API and
# of the oracles (x_test.c beside x.c) are models too: they are scenarios.
model_tests := $(wildcard src/kernel/*_test.c src/oracle/*_test.c \
	src/posix/*_test.c src/mm/*_test.c)
model_o := $(call obj,$(models) $(model_tests))

# These are programs, as heddle-cc builds them.
posix_test_o := $(call obj,$(wildcard src/posix/*_test.c))
$(posix_test_o): MODEL_FLAGS += -femulated-tls -isystem include/heddle/libc
$(posix_test_o): MODEL_OBJCOPY += --redefine-syms=src/posix/calls
$(posix_test_o): src/posix/calls

$(model_o): $(B)/obj/%.o: %.c | deps
	$(call say,MODEL,$<)
	@mkdir -p $(@D)
	$(Q)$(MODEL_CC) $(MODEL_FLAGS) -MF $(@:.o=.d) -MT $@ -c $< -o $@.tmp
	$(Q)$(OBJCOPY) $(MODEL_OBJCOPY) $@.tmp $@ && rm -f $@.tmp

$(B)/obj/%.o: %.c | deps
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.S | deps
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(B)/heddle: $(core_o) $(mm_o) $(scenario_o) $(triage_o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ldw -lelf -ljansson

$(B)/obj/triage/new_frame.o: triage/new_frame.txt
$(B)/obj/triage/heddle_gdb.o: triage/heddle-gdb.py

# --- heddle-cc: a compiler for scenarios outside the tree ----------------------
# The canary of their campaigns, which no list shows.
$(B)/lib/canary.o: $(B)/obj/src/scenario/canary_abba.o
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --rename-section hd_scenarios=hd_canary $< $@

$(B)/lib/heddle.o: $(core_o) $(mm_o) $(triage_o) $(B)/lib/canary.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)ld -r -o $@ $^

$(B)/lib/fuzz.o: $(core_o) $(mm_o) $(call obj,$(filter-out %_test.c,\
		$(wildcard fuzz/*.c))) $(B)/lib/canary.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)ld -r -o $@ $^

# What heddle-cc warns of: functions that do nothing.
$(B)/lib/stubs: $(B)/obj/src/mm/stubs.o
	@mkdir -p $(@D)
	$(Q)nm -P --defined-only $< | cut -d' ' -f1 | sort > $@

# What fuzz targets of programs need for the names of locks.
$(B)/lib/names.o: $(call obj,$(filter-out %_test.c,$(wildcard triage/sym*.c)))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)ld -r -o $@ $^

# What it renames in programs.
$(B)/lib/calls: src/posix/calls
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/heddle-cc: triage/heddle-cc.in $(B)/lib/heddle.o $(B)/lib/fuzz.o \
		$(B)/lib/stubs $(B)/lib/calls $(B)/lib/names.o Makefile
	$(call say,GEN,$@)
	$(Q)sed -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@MODEL_CC@|$(MODEL_CC)|;s|@CC@|$(CC)|' \
		-e 's|@OBJCOPY@|$(OBJCOPY)|;s|@LDFLAGS@|$(LDFLAGS)|' \
		-e 's|@FUZZ_CXX@|$(FUZZ_CXX)|;s|@FUZZ_RT@|$(fuzz_rt)|' \
		-e 's|@MODEL_OBJCOPY@|$(MODEL_OBJCOPY)|' \
		-e 's|@MODEL_FLAGS@|$(filter-out -MMD -MP -I% -ffile% -Wextra,$(MODEL_FLAGS))|' \
		$< > $@.tmp && chmod +x $@.tmp && mv $@.tmp $@

# --- heddle-mutate: model files with one thing broken ------------------------
# anew with each source, since it names all objects
$(B)/heddle-mutate: triage/heddle-mutate.in Makefile $(core) $(models) $(triage)
	$(call say,GEN,$@)
	$(Q)sed -e 's|@MODEL_CC@|$(MODEL_CC)|;s|@CC@|$(CC)|' \
		-e 's|@OBJCOPY@|$(OBJCOPY)|;s|@LDFLAGS@|$(LDFLAGS)|' \
		-e 's|@MODEL_OBJCOPY@|$(MODEL_OBJCOPY)|' \
		-e 's|@MODEL_FLAGS@|$(filter-out -MMD -MP -I% -ffile%,$(MODEL_FLAGS))|' \
		-e 's|@OBJECTS@|$(patsubst $(B)/%,%,$(core_o) $(mm_o) $(scenario_o) $(triage_o))|' \
		-e 's|@MODEL_OBJECTS@|$(patsubst $(B)/%,%,$(mm_o) $(scenario_o))|' \
		$< > $@.tmp && chmod +x $@.tmp && mv $@.tmp $@

# Tests that are models: linked with the common main that holds each scenario
# variant of the file to its expected verdicts.
twin_bins := $(patsubst %.c,$(B)/t/%,$(model_tests))
$(twin_bins): $(B)/t/%: $(B)/obj/%.o $(B)/obj/src/base/twin.o $(core_o) $(mm_o)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# Tests with a main of their own: of src/ with the core alone, of triage/ and
# fuzz/ with everything.
src_tests := $(wildcard src/engine/*_test.c src/base/*_test.c)
src_bins := $(patsubst %.c,$(B)/t/%,$(src_tests))
top_bins := $(patsubst %.c,$(B)/t/%,$(wildcard triage/*_test.c fuzz/*_test.c))
plain_bins := $(src_bins) $(top_bins)
$(src_bins): $(B)/t/%: $(B)/obj/%.o $(core_o) $(mm_o)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(top_bins): $(B)/t/%: $(B)/obj/%.o $(core_o) $(mm_o) $(scenario_o) \
		$(filter-out $(B)/obj/triage/main.o,$(triage_o))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ldw -lelf -ljansson

# --- make test -----------------------------------------------------------------
# The house rules; unit tests; the verbs, corpus and variants; then engine,
# oracles, primitives and triage once more under the sanitizers and by gcc
# (models are always clang's).
prove = prove -j$(shell getconf _NPROCESSORS_ONLN) $(if $(V),-v)
units := $(twin_bins) $(plain_bins)
.PHONY: units verbs test-san test-gcc
units: $(units)
	$(Q)$(prove) --exec '' $(units)

# The longest first, so that it does not run alone in the end.
verbs: all
	$(Q)HEDDLE=$(CURDIR)/$(B)/heddle $(prove) triage/t/variants.t \
		$(filter-out %/variants.t,$(wildcard triage/t/*.t))

tidy: deps
	$(Q)$(prove) .ci/tidy.t

test:
	@echo '== house rules'
	$(Q)$(MAKE) -s tidy
	@echo '== unit tests, $(CC)'
	$(Q)$(MAKE) all $(units)
	$(Q)$(MAKE) -s units
	@echo '== verbs, variants and corpus'
	$(Q)$(MAKE) -s verbs
	@echo '== sanitizers: address, undefined'
	$(Q)$(MAKE) SAN=address,undefined test-san
	@echo '== gcc'
	$(Q)$(MAKE) CC=gcc test-gcc
	@echo '== aarch64, and coroutines without assembly'
	$(Q)$(MAKE) test-aarch64
	$(Q)$(MAKE) CORO=ucontext test-coro
	@echo 'heddle: all tests passed'

test-san: $(B)/heddle $(B)/heddle-mutate $(units)
	$(Q)$(MAKE) -s SAN=$(SAN) units
	$(Q)HEDDLE=$(CURDIR)/$(B)/heddle $(prove) $(short_verbs)

test-gcc: $(B)/heddle $(B)/heddle-mutate $(units)
	$(Q)$(MAKE) -s CC=$(CC) units
	$(Q)HEDDLE=$(CURDIR)/$(B)/heddle $(prove) $(short_verbs)

# Another machine, where Debian's cross compiler and qemu-user are installed.
cross := $(wildcard /usr/bin/aarch64-linux-gnu-gcc)
qemu := $(firstword $(wildcard /usr/bin/qemu-aarch64 \
	/usr/bin/qemu-aarch64-static))
.PHONY: test-aarch64 run-aarch64 test-coro
test-aarch64:
ifeq ($(and $(cross),$(qemu)),)
	@echo '1..0 # SKIP no gcc-aarch64-linux-gnu and qemu-user here'
else
	$(Q)$(MAKE) B=build-aarch64 ARCH=aarch64 CC=$(cross) \
		MODEL_CC='$(MODEL_CC) --target=aarch64-linux-gnu' \
		OBJCOPY=aarch64-linux-gnu-objcopy \
		LDFLAGS='-no-pie -static' run-aarch64
endif

run-aarch64: $(twin_bins) $(src_bins)
	$(Q)$(prove) --exec '$(qemu)' $^

test-coro: $(src_bins)
	$(Q)$(prove) --exec '' $^

# Those tests of verbs that say something about the build of triage.
short_verbs := $(wildcard $(patsubst %,triage/t/%.t,list run replay show html trace corpus \
	lockdep race lifetime))

# --- make demo: the main job, on the mail that heddle comes from ----------------
demo: all
	$(Q)HEDDLE=$(B)/heddle sh triage/demo.sh

soak: all
	$(Q)sh triage/soak.sh $(B)/heddle

torture: all
	$(Q)sh triage/torture.sh $(B)/heddle

mutants: all $(units)
	$(Q)sh triage/mutants.sh $(B)/heddle

-include fuzz/fuzz.mk
-include triage/triage.mk
-include triage/install.mk
-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean:
	rm -rf build build-*
