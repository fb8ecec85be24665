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
