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
