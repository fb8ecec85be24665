# make install DESTDIR= prefix=/usr/local, and make uninstall.  What is installed
# may be moved as a whole: programs find their parts from where they lie
# (../lib/heddle, ../include), heddle.pc from where it lies.
#   bin/               heddle, heddle-cc, heddle-mutate
#   lib/heddle/        what heddle-cc links, the fuzz target of all scenarios
#   include/heddle/    the API of scenarios
#   lib/pkgconfig/     heddle.pc
#   share/man/, share/bash-completion/completions/    (datadir, mandir)

prefix = /usr/local
datadir = $(prefix)/share
mandir = $(datadir)/man
completions = $(datadir)/bash-completion/completions

# SOURCE:DIR, without DESTDIR.
bin_parts := $(patsubst %,$(B)/%:bin,heddle heddle-cc heddle-mutate) \
	$(B)/fuzz/heddle_fuzzer:lib/heddle
lib_parts := $(patsubst %,$(B)/lib/%:lib/heddle,heddle.o fuzz.o names.o stubs \
	calls) triage/MutateSites.pm:lib/heddle $(B)/heddle.pc:lib/pkgconfig
headers := $(foreach h,$(wildcard include/heddle/*.h include/heddle/*/*.h),\
	$(h):$(patsubst %/,%,$(dir $(h))))
pages := $(wildcard triage/man/*.[1-8])
page_dir = $(mandir)/man$(subst .,,$(suffix $(1)))

source_of = $(firstword $(subst :, ,$(1)))
place_of = $(prefix)/$(word 2,$(subst :, ,$(1)))
put = install -D -m $(1) $(2) '$(DESTDIR)$(3)/$(notdir $(2))' &&
# Where each file goes.
places = $(foreach p,$(bin_parts) $(lib_parts) $(headers),\
	$(call place_of,$(p))/$(notdir $(call source_of,$(p)))) \
	$(foreach p,$(pages),$(call page_dir,$(p))/$(notdir $(p))) \
	$(completions)/heddle

.PHONY: install uninstall
install: all $(B)/heddle.pc
	$(call say,INSTALL,$(DESTDIR)$(prefix))
	$(Q)$(foreach p,$(bin_parts),$(call put,755,$(call source_of,$(p)),$(call \
		place_of,$(p)))) \
	$(foreach p,$(lib_parts) $(headers),$(call put,644,$(call \
		source_of,$(p)),$(call place_of,$(p)))) \
	$(foreach p,$(pages),$(call put,644,$(p),$(call page_dir,$(p)))) \
	install -D -m 644 triage/completion.bash '$(DESTDIR)$(completions)/heddle'

# Files, and those of our folders that are left empty.
uninstall:
	$(call say,REMOVE,$(DESTDIR)$(prefix))
	$(Q)rm -f $(foreach p,$(places),'$(DESTDIR)$(p)')
	$(Q)rmdir $(foreach d,lib/heddle include/heddle/libc include/heddle,\
		'$(DESTDIR)$(prefix)/$(d)') 2>/dev/null || true

$(B)/heddle.pc: triage/heddle.pc.in Makefile
	$(call say,GEN,$@)
	$(Q)sed -e 's|@VERSION@|$(VERSION)|;s|@MODEL_CC@|$(MODEL_CC)|' \
		-e 's|@OBJCOPY@|$(OBJCOPY)|;s|@LDFLAGS@|$(LDFLAGS)|' \
		-e 's|@MODEL_OBJCOPY@|$(MODEL_OBJCOPY)|' \
		-e 's|@MODEL_FLAGS@|$(filter-out -MMD -MP -I% -ffile% -W%,$(MODEL_FLAGS))|' \
		$< > $@.tmp && mv $@.tmp $@
