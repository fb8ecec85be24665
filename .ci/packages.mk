# The Debian 12 packages that a build needs, each with a file that shows it is
# there.  `sh .ci/setup` installs what is missing.
packages := clang-14:/usr/bin/clang-14 \
	gcc:/usr/bin/gcc \
	binutils:/usr/bin/objcopy \
	libclang-rt-14-dev:/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a \
	libdw-dev:/usr/include/elfutils/libdwfl.h \
	libelf-dev:/usr/include/libelf.h \
	libjansson-dev:/usr/include/jansson.h \
	libxxhash-dev:/usr/include/xxhash.h \
	perl:/usr/bin/prove \
	git:/usr/bin/git \
	linux-libc-dev:/usr/include/linux/types.h

missing := $(foreach p,$(packages),$(if $(wildcard \
	$(word 2,$(subst :, ,$(p)))),,$(word 1,$(subst :, ,$(p)))))

.PHONY: deps missing
deps:
ifneq ($(strip $(missing)),)
	@echo "heddle: missing Debian packages: $(strip $(missing))" >&2
	@echo "heddle: sh .ci/setup installs them" >&2
	@exit 2
endif
missing:
	@echo $(missing)
