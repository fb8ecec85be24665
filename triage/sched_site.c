/* SPDX-License-Identifier: MIT */
/* Where in model code does an op stand, in a form that survives edits?
 *
 * A site is FUNCTION#ORDINAL: the ORDINAL-th call of the engine, by address, in
 * the innermost function that is not an inline helper of include/heddle.
 * (sym_site() stops at the helper: there all atomic_read() are one place.)
 * The mm world's headers hold model code, not API. */
#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "search.h"
#include "sym_private.h"

/* The function in question at pc: where its debug entry is, and its name. */
static bool own_function(u32 pc, Dwarf_Off *off, char *name, size_t size)
{
	struct sym_site s[SYM_MAX_CHAIN];
	struct sym_chain c;
	u32 i, n = sym_frames(pc, s, SYM_MAX_CHAIN);

	if (!n || !sym_chain(pc, &c))
		return false;
	for (i = 0; i + 1 < n && sym_is_api_file(s[i].file); i++)
		;
	*off = dwarf_dieoffset(&c.die[i]);
	snprintf(name, size, "%s", s[i].function);
	return true;
}

static u32 ordinal_of(u32 pc, Dwarf_Off own)
{
	const struct sym_func *f = sym_func_at(pc - 1), *target;
	char name[64];
	Dwarf_Off off;
	u32 n = 0, at;

	if (!f)
		return 0;
	for (at = f->lo; (at = sym_next_call(at, pc, &target));)
		if (!target->model &&
		    own_function(at, &off, name, sizeof(name)) && off == own)
			n++;
	return n;
}

static bool find_site(u32 pc, char *buf, size_t size)
{
	char name[64];
	Dwarf_Off off;

	if (!sym_program()->dwarf ||
	    !own_function(pc, &off, name, sizeof(name)))
		return false;
	snprintf(buf, size, "%s#%u", name, ordinal_of(pc, off));
	return true;
}

bool site_name(u32 pc, char *buf, size_t size)
{
	enum { CACHE = 1024 };
	static struct {
		u32 pc;
		bool known;
		char name[96];
	} cache[CACHE], *e;

	if (!pc)
		return false;
	e = &cache[hd_mix(pc) % CACHE];
	if (e->pc != pc) {
		e->pc = pc;
		e->known = find_site(pc, e->name, sizeof(e->name));
	}
	if (e->known)
		snprintf(buf, size, "%s", e->name);
	return e->known;
}
