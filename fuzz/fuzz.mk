# Fuzz targets: one program, a name for each scenario (harness.c: the name
# chooses).  The objects of engine, models and scenarios are the same files
# that heddle is linked from, so that a crash file replays everywhere.
#   make fuzz         build/fuzz/<scenario>_fuzzer
#   FUZZ_FLAGS=...    more flags for the link

fuzz_src := $(filter-out %_test.c fuzz/engine.c,$(wildcard fuzz/*.c))
fuzz_o := $(call obj,$(fuzz_src))
fuzz_bins := $(patsubst src/scenario/%.c,$(B)/fuzz/%_fuzzer,$(scenarios))
fuzz_rt = $(shell $(FUZZ_CXX) -print-resource-dir)/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a

.PHONY: fuzz
fuzz: $(fuzz_bins)
all: fuzz

$(B)/fuzz/heddle_fuzzer: $(core_o) $(mm_o) $(scenario_o) $(fuzz_o) \
		$(B)/obj/fuzz/engine.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CXX) $(LDFLAGS) $(FUZZ_FLAGS) -o $@ $^ $(fuzz_rt) -lpthread

$(fuzz_bins): $(B)/fuzz/heddle_fuzzer
	$(call say,NAME,$@)
	$(Q)ln -f $< $@

# The tests drive the same objects.
$(patsubst %.c,$(B)/t/%,$(wildcard fuzz/*_test.c)): $(fuzz_o)

# What build.sh, the contract of OSS-Fuzz, asks for; needs nothing installed.
.PHONY: fuzz-show
fuzz-show:
	@echo core='"$(core)"'
	@echo harness='"$(fuzz_src)"'
	@echo models='"$(models)"'
	@echo scenarios='"$(scenarios)"'
	@echo base_flags='"$(filter-out -MMD -MP,$(BASE))"'
	@echo model_flags='"$(filter-out -MMD -MP,$(MODEL_FLAGS))"'
	@echo model_objcopy='"$(MODEL_OBJCOPY)"'

# Builds all targets as OSS-Fuzz would for AFL++, and lets that fuzz them.
.PHONY: test-engines
test-engines: all
	$(Q)HEDDLE=$(CURDIR)/$(B)/heddle ENGINES=1 prove -v triage/t/engines.t
