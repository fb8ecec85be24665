/* SPDX-License-Identifier: MIT */
/* Which model build is this?
 *
 * The same model objects are linked with engines and reports of different
 * compilers, so nothing may count that the linker decides: where a function
 * lies and what its references point to.  What counts, for every function of
 * the model code in the order of their names:
 *   - its name and its machine code, with each reference left out
 *     (sym_insn.c finds them), and
 *   - for each direct call, the name of the function called.
 * Not counted: static data (what a variant's data says shows in the run) and
 * everything that only debug information knows, such as lines. */
#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "sym_private.h"

static u64 hash_text(u64 h, const char *s)
{
	while (*s)
		h = hd_fold(h, (u8)*s++);
	return hd_fold(h, 256);
}

static u64 hash_function(const struct sym_func *f)
{
	const u8 *code = sym_bytes(f->lo, f->hi - f->lo);
	u64 h = hash_text(f->hi - f->lo, f->name);
	u32 at, size;

	if (!code)
		return h;
	for (at = 0; f->lo + at < f->hi; at += size) {
		u8 insn[16];
		u32 target = 0, i;

		size = sym_insn(code + at, f->hi - f->lo - at, f->lo + at, insn,
				&target);
		for (i = 0; i < size; i++)
			h = hd_fold(h, insn[i]);
		if (target && sym_func_start(target))
			h = hash_text(h, sym_func_start(target)->name);
		else if (target) /* a jump inside the function */
			h = hd_fold(h, target - f->lo);
	}
	return h;
}

static int by_name(const void *a, const void *b)
{
	const struct sym_func *x = *(const struct sym_func *const *)a;
	const struct sym_func *y = *(const struct sym_func *const *)b;

	return strcmp(x->name, y->name);
}

u64 sym_model_id(void)
{
	static u64 id;
	const struct sym_program *p = sym_program();
	const struct sym_func **f;
	u64 sum = 0;
	u32 i, n = 0;

	if (id)
		return id;
	f = calloc(p->nfunc + 1, sizeof(*f));
	for (i = 0; f && i < p->nfunc; i++)
		if (p->func[i].model)
			f[n++] = &p->func[i];
	if (f && n)
		qsort(f, n, sizeof(*f), by_name);
	id = 0x6865646c65ull;
	for (i = 0; i < n; i++) {
		/* static functions of one name: their order does not count */
		sum += hash_function(f[i]);
		if (i + 1 < n && !strcmp(f[i]->name, f[i + 1]->name))
			continue;
		id = hd_fold(id, sum);
		sum = 0;
	}
	free(f);
	return id;
}
