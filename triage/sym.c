/* SPDX-License-Identifier: MIT */
/* Which function, file and line is a return address, inlining undone? */
#include "sym.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "sym_private.h"

/* --- the chain of functions around an address ---------------------------- */

static void descend(Dwarf_Die *die, u64 addr, struct sym_chain *c)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return;
	do {
		int tag = dwarf_tag(&child);

		if (tag != DW_TAG_subprogram && tag != DW_TAG_lexical_block &&
		    tag != DW_TAG_inlined_subroutine)
			continue;
		if (dwarf_haspc(&child, addr) <= 0)
			continue;
		if (tag != DW_TAG_lexical_block) {
			if (c->n == SYM_MAX_CHAIN)
				return;
			memmove(&c->die[1], &c->die[0],
				c->n * sizeof(c->die[0]));
			c->die[0] = child;
			c->n++;
		}
		descend(&child, addr, c);
		return;
	} while (!dwarf_siblingof(&child, &child));
}

bool sym_chain(u32 pc, struct sym_chain *c)
{
	const struct sym_program *p = sym_program();
	u32 i;

	c->pc = pc;
	c->n = 0;
	for (i = 0; i < p->nunit; i++) {
		if (pc - 1 < p->unit[i].lo || pc - 1 >= p->unit[i].hi)
			continue;
		c->unit = p->unit[i].die;
		descend(&c->unit, pc - 1, c);
		if (c->n)
			return true;
	}
	return false;
}

bool sym_is_api_file(const char *file)
{
	static const char api[] = "include/heddle/";
	const char *at = file ? strstr(file, api) : NULL;

	if (file && !strncmp(file, "/usr/", 5)) /* of the C library */
		return true;
	/* mm.h and mm/ are model code */
	return at && strncmp(at + sizeof(api) - 1, "mm", 2);
}

bool sym_is_api(Dwarf_Die *die)
{
	return sym_is_api_file(dwarf_decl_file(die));
}

bool sym_is_model(u32 pc)
{
	const struct sym_func *f = sym_func_at(pc - 1);

	return f && f->model;
}

bool sym_same_function(u32 pc, u32 other)
{
	const struct sym_func *f = sym_func_at(pc - 1);

	return f && f == sym_func_at(other - 1);
}

/* --- files and lines ----------------------------------------------------- */

void sym_path(const char *path, Dwarf_Die *unit, char *buf, size_t size)
{
	Dwarf_Attribute a;
	const char *dir;
	size_t n;

	if (!path)
		path = "?";
	dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &a));
	n = dir ? strlen(dir) : 0;
	if (n && !strncmp(path, dir, n) && path[n] == '/')
		path += n + 1;
	while (!strncmp(path, "./", 2))
		path += 2;
	snprintf(buf, size, "%s", path);
}

/* The compiler gives line 0 to code that it merged: then the last line before
 * it in the same function. */
static void place_of_pc(struct sym_chain *c, struct sym_site *s)
{
	const struct sym_func *f = sym_func_at(c->pc - 1);
	u32 at, lo = f ? f->lo : c->pc - 1;
	Dwarf_Line *line = NULL;
	int n = 0;

	for (at = c->pc - 1; at >= lo && !n; at--) {
		line = dwarf_getsrc_die(&c->unit, at);
		if (!line)
			return;
		dwarf_lineno(line, &n);
	}
	sym_path(dwarf_linesrc(line, NULL, NULL), &c->unit, s->file,
		 sizeof(s->file));
	s->line = (u32)n;
}

/* The place in the caller at which an inlined function stood. */
static void place_of_inlining(struct sym_chain *c, Dwarf_Die *inlined,
			      struct sym_site *s)
{
	Dwarf_Word file = 0, line = 0;
	Dwarf_Attribute a;
	Dwarf_Files *files;
	size_t n;

	dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &a), &file);
	dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &a), &line);
	s->line = (u32)line;
	if (!dwarf_getsrcfiles(&c->unit, &files, &n) && file < n)
		sym_path(dwarf_filesrc(files, file, NULL, NULL), &c->unit,
			 s->file, sizeof(s->file));
}

u32 sym_frames(u32 pc, struct sym_site *site, u32 max)
{
	struct sym_chain c;
	u32 i;

	if (!sym_chain(pc, &c))
		return 0;
	for (i = 0; i < c.n && i < max; i++) {
		const char *name = dwarf_diename(&c.die[i]);

		memset(&site[i], 0, sizeof(site[i]));
		snprintf(site[i].function, sizeof(site[i].function), "%s",
			 name ? name : "?");
		site[i].api = sym_is_api(&c.die[i]);
		if (i)
			place_of_inlining(&c, &c.die[i - 1], &site[i]);
		else
			place_of_pc(&c, &site[i]);
	}
	return i;
}

/* --- sites --------------------------------------------------------------- */

/* The innermost function that the model itself has. */
static u32 own_function(struct sym_chain *c)
{
	u32 i = 0;

	while (i + 1 < c->n && sym_is_api(&c->die[i]))
		i++;
	return i;
}

/* Calls of the engine in this copy of the function, up to pc. */
static u32 ordinal_of(struct sym_chain *c)
{
	const struct sym_func *f = sym_func_at(c->pc - 1), *target;
	Dwarf_Off own = dwarf_dieoffset(&c->die[own_function(c)]);
	u32 n = 0, at;

	if (!f)
		return 0;
	for (at = f->lo; (at = sym_next_call(at, c->pc, &target));) {
		struct sym_chain other;

		if (target->model || !sym_chain(at, &other))
			continue;
		if (dwarf_dieoffset(&other.die[own_function(&other)]) == own)
			n++;
	}
	return n;
}

static bool find_site(u32 pc, struct sym_site *site)
{
	struct sym_site s[SYM_MAX_CHAIN];
	struct sym_chain c;
	u32 own;

	if (!sym_chain(pc, &c) || !sym_frames(pc, s, SYM_MAX_CHAIN))
		return false;
	own = own_function(&c);
	*site = s[own];
	site->ordinal = ordinal_of(&c);
	return true;
}

bool sym_site(u32 pc, struct sym_site *site)
{
	enum { CACHE = 4096 };
	static struct {
		u32 pc;
		bool known;
		struct sym_site site;
	} *cache, *e;

	if (!cache)
		cache = calloc(CACHE, sizeof(*cache));
	if (!cache)
		return false;
	e = &cache[hd_mix(pc) % CACHE];
	if (e->pc != pc) {
		memset(e, 0, sizeof(*e));
		e->known = find_site(pc, &e->site);
		e->pc = pc;
	}
	*site = e->site;
	return e->known;
}
