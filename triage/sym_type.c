/* SPDX-License-Identifier: MIT */
/* What is the member at this offset of this type called? */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/engine/engine.h"
#include "sym_private.h"

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute a;
	int tag;

	if (!dwarf_attr_integrate(die, DW_AT_type, &a) ||
	    !dwarf_formref_die(&a, type))
		return false;
	while ((tag = dwarf_tag(type)) == DW_TAG_typedef ||
	       tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type) {
		Dwarf_Die inner;

		if (!dwarf_attr(type, DW_AT_type, &a) ||
		    !dwarf_formref_die(&a, &inner))
			return false;
		*type = inner;
	}
	return true;
}

static u64 size_of(Dwarf_Die *type)
{
	Dwarf_Word size = 0;

	return dwarf_aggregate_size(type, &size) ? 0 : size;
}

static void append(char *buf, size_t size, const char *name)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, "%s%s", n && name[0] != '[' ? "." : "",
		 name);
}

static bool member_at(Dwarf_Die *type, u64 off, Dwarf_Die *member, u64 *at)
{
	if (dwarf_child(type, member))
		return false;
	do {
		Dwarf_Word loc = 0;
		Dwarf_Attribute a;
		Dwarf_Die t;

		if (dwarf_tag(member) != DW_TAG_member)
			continue;
		if (dwarf_attr(member, DW_AT_data_member_location, &a))
			dwarf_formudata(&a, &loc);
		if (type_of(member, &t) && off >= loc &&
		    off < loc + size_of(&t)) {
			*at = loc;
			return true;
		}
	} while (!dwarf_siblingof(member, member));
	return false;
}

static bool element_at(Dwarf_Die *type, u64 off, char *buf, size_t size)
{
	char index[24];
	Dwarf_Die t;
	u64 n;

	if (!type_of(type, &t) || !(n = size_of(&t)))
		return false;
	snprintf(index, sizeof(index), "[%llu]", (unsigned long long)(off / n));
	append(buf, size, index);
	return sym_member(&t, off % n, buf, size);
}

bool sym_member(Dwarf_Die *type, u64 off, char *buf, size_t size)
{
	int tag = dwarf_tag(type);
	Dwarf_Die m, t;
	u64 at;

	if (tag == DW_TAG_array_type)
		return element_at(type, off, buf, size);
	if (tag != DW_TAG_structure_type && tag != DW_TAG_union_type)
		return true;
	if (buf[0] && sym_is_api(type))
		return true;
	if (!member_at(type, off, &m, &at) || !type_of(&m, &t))
		return false;
	if (dwarf_diename(&m))
		append(buf, size, dwarf_diename(&m));
	return sym_member(&t, off - at, buf, size);
}

/* --- types by name ------------------------------------------------------- */

static bool unit_type(Dwarf_Die *unit, const char *name, Dwarf_Die *type)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);
		const char *n = dwarf_diename(&die);

		if ((tag != DW_TAG_structure_type && tag != DW_TAG_union_type &&
		     tag != DW_TAG_typedef && tag != DW_TAG_base_type) ||
		    !n || strcmp(n, name) ||
		    dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		*type = die;
		return tag != DW_TAG_typedef || type_of(&die, type);
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

/* "*p": what the variables p of this unit point to.  Not if two of them point to
 * different types. */
static bool pointee(Dwarf_Die *die, const char *name, Dwarf_Die *type, bool *clash)
{
	Dwarf_Die child, pointer, t;
	bool found = type->addr != NULL;
	const char *n;

	if (dwarf_child(die, &child))
		return found;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block ||
		    tag == DW_TAG_inlined_subroutine)
			found = pointee(&child, name, type, clash);
		if (tag != DW_TAG_variable && tag != DW_TAG_formal_parameter)
			continue;
		n = dwarf_diename(&child);
		if (!n || strcmp(n, name) || !type_of(&child, &pointer) ||
		    dwarf_tag(&pointer) != DW_TAG_pointer_type ||
		    !type_of(&pointer, &t))
			continue;
		*clash |= found && t.addr != type->addr;
		*type = t;
		found = true;
	} while (!dwarf_siblingof(&child, &child));
	return found;
}

static bool own_pointee(u32 own, const char *name, Dwarf_Die *type)
{
	const struct sym_program *p = sym_program();
	bool clash = false;

	memset(type, 0, sizeof(*type));
	return own < p->nunit && pointee(&p->unit[own].die, name, type, &clash) &&
	       !clash;
}

/* Files may have different types of one name: the scenario's own come first. */
static u32 own_unit(void)
{
	const struct sym_program *p = sym_program();
	u32 pc = 0, i;

	if (hd_eng.scenario)
		pc = (u32)(u64)hd_eng.scenario->tasks[0].fn;
	for (i = 0; i < p->nunit; i++)
		if (pc >= p->unit[i].lo && pc < p->unit[i].hi)
			break;
	return i;
}

static bool search_type(u32 own, const char *name, Dwarf_Die *type)
{
	const struct sym_program *p = sym_program();
	u32 i, pass;

	if (*name == '*')
		return own_pointee(own, name + 1, type);
	if (own < p->nunit && unit_type(&p->unit[own].die, name, type))
		return true;
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < p->nunit; i++)
			if (p->unit[i].model == !pass &&
			    unit_type(&p->unit[i].die, name, type))
				return true;
	return false;
}

static bool find_type(const char *name, Dwarf_Die *type)
{
	static struct {
		char name[64];
		u32 own;
		Dwarf_Die die;
		bool known;
	} cache[32], *e;
	static u32 n;
	u32 i, own = own_unit();

	for (i = 0; i < 32 && i < n; i++) {
		if (strcmp(cache[i].name, name) || cache[i].own != own)
			continue;
		*type = cache[i].die;
		return cache[i].known;
	}
	e = &cache[n++ % 32];
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->own = own;
	e->known = search_type(own, name, &e->die);
	*type = e->die;
	return e->known;
}

const char *sym_field(const char *type, u32 off, char *buf, size_t size)
{
	Dwarf_Die die;
	u64 n;

	if (!type || !size)
		return NULL;
	if (!strncmp(type, "struct ", 7))
		type += 7;
	else if (!strncmp(type, "union ", 6))
		type += 6;
	if (!find_type(type, &die))
		return NULL;
	buf[0] = 0;
	n = size_of(&die);
	if (n && off >= n) /* an array was allocated */
		snprintf(buf, size, "[%llu]", (unsigned long long)(off / n));
	if (!sym_member(&die, n ? off % n : off, buf, size) || !buf[0])
		return NULL;
	return buf;
}

/* --- static objects ------------------------------------------------------ */

struct variable {
	u64 addr, size;
	const char *name;
	Dwarf_Die type;
};
static struct variable *variables;
static u32 nvariables;

static void add_variable(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Die type;
	Dwarf_Op *op;
	size_t n;
	struct variable *v;

	if (!dwarf_attr(die, DW_AT_location, &a) ||
	    dwarf_getlocation(&a, &op, &n) || !n ||
	    op[0].atom != DW_OP_addr || !type_of(die, &type))
		return;
	if (!(nvariables & (nvariables + 1)) || !variables)
		variables = realloc(variables,
				    (2 * nvariables + 2) * sizeof(*v));
	v = &variables[nvariables++];
	v->addr = op[0].number;
	/* more ops: clang made a bool of an int that is only 0 or 1 */
	v->size = n == 1 ? size_of(&type) : 1;
	v->name = dwarf_diename(die);
	v->type = type;
}

static void collect(Dwarf_Die *die)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_variable)
			add_variable(&child);
		else if (tag == DW_TAG_subprogram ||
			 tag == DW_TAG_lexical_block)
			collect(&child);
	} while (!dwarf_siblingof(&child, &child));
}

const char *sym_data(u64 addr, char *buf, size_t size)
{
	static bool collected;
	const struct sym_program *p = sym_program();
	u32 i;

	for (i = 0; !collected && i < p->nunit; i++)
		if (p->unit[i].model)
			collect(&p->unit[i].die);
	collected = true;
	for (i = 0; i < nvariables; i++) {
		struct variable *v = &variables[i];

		if (addr < v->addr || addr >= v->addr + v->size || !v->name)
			continue;
		snprintf(buf, size, "%s", v->name);
		sym_member(&v->type, addr - v->addr, buf, size);
		return buf;
	}
	return NULL;
}
