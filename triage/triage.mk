# The verbs' tests and the bench.
$(B)/t/bench: $(B)/obj/triage/bench/bench.o \
		$(B)/obj/triage/bench/bench_oracles.o $(core_o) $(mm_o) $(scenario_o) \
		$(filter-out $(B)/obj/triage/main.o,$(triage_o))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ldw -lelf -ljansson

.PHONY: bench-search
bench-search: all
	$(Q)perl triage/bench/search.pl $(B)/heddle-cc

bench: $(B)/t/bench fuzz
	$(Q)sh triage/bench/bench.sh $(B)

# What of a fuzz target finds bugs?  (In the place of findings.c: feedback.c.)
$(B)/t/feedback: $(B)/obj/triage/bench/feedback.o $(core_o) $(mm_o) \
		$(scenario_o) $(filter-out %/findings.o,$(fuzz_o))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CXX) $(LDFLAGS) -o $@ $^ $(fuzz_rt) -lpthread

.PHONY: bench-feedback
bench-feedback: $(B)/heddle $(B)/t/feedback
	$(Q)perl triage/bench/feedback.pl $(B)

# Do the readers of texts stand any file?  (triage/fuzz/)  They are built anew,
# with sanitizers and coverage; what they are linked with is the common build.
#   make fuzz-readers RUNS=100000
RUNS = 100000
reader_san = -fsanitize=undefined,fuzzer-no-link -fno-sanitize-recover=all
reader_src := $(patsubst %,triage/%.c,certificate cmd_lockdep cmd_min cmd_replay \
	cmd_show lock_program lock_run lock_witness options scenario sched_anchor \
	sched_read sched_text fuzz/readers)
# These run on the stacks of tasks as well, of which ASan would have to be told.
reader_oracle := $(filter-out %_test.c,$(wildcard src/oracle/lockdep*.c))
reader_o := $(patsubst %.c,$(B)/readers/obj/%.o,$(reader_src) $(reader_oracle))
$(patsubst %.c,$(B)/readers/obj/%.o,$(reader_src)): reader_san += \
	-fsanitize=address -fsanitize-address-use-after-return=never
$(reader_o): $(B)/readers/obj/%.o: %.c | deps
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(MODEL_CC) $(CFLAGS) $(reader_san) -c $< -o $@

$(B)/readers/fuzzer: $(reader_o) $(filter-out $(patsubst $(B)/readers/%,$(B)/%,\
		$(reader_o)) $(B)/obj/triage/main.o,$(core_o) $(mm_o) $(scenario_o) \
		$(triage_o))
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CXX) $(LDFLAGS) -fsanitize=address,undefined,fuzzer -o $@ $^ \
		-ldw -lelf -ljansson

.PHONY: fuzz-readers
fuzz-readers: $(B)/heddle $(B)/readers/fuzzer
	$(Q)sh triage/fuzz/readers.sh $(B) $(RUNS)
