/* SPDX-License-Identifier: MIT */
/* Which functions does the program itself have, where do they lie, and which
 * of them are model code?
 *
 * The program is linked -no-pie, so addresses in the file are the addresses at
 * run time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sym_private.h"

static struct sym_program program_;

static int by_address(const void *a, const void *b)
{
	const struct sym_func *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add_func(struct sym_program *p, const GElf_Sym *s,
		     const char *name)
{
	struct sym_func *f;

	if (!(p->nfunc & (p->nfunc + 1)) || !p->func)
		p->func = realloc(p->func, (2 * p->nfunc + 2) * sizeof(*f));
	f = &p->func[p->nfunc++];
	f->lo = (u32)s->st_value;
	f->hi = (u32)(s->st_value + s->st_size);
	f->name = name;
	f->model = false;
}

static void read_symbols(struct sym_program *p)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym s;
	int i;

	while ((scn = elf_nextscn(p->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(scn, NULL);
		for (i = 0; gelf_getsym(data, i, &s); i++)
			if (GELF_ST_TYPE(s.st_info) == STT_FUNC && s.st_value)
				add_func(p, &s,
					 elf_strptr(p->elf, sh.sh_link,
						    s.st_name));
	}
	qsort(p->func, p->nfunc, sizeof(p->func[0]), by_address);
}

static void add_unit(struct sym_program *p, const Dwarf_Die *die, u64 lo,
		     u64 hi)
{
	struct sym_unit *u;

	if (!(p->nunit & (p->nunit + 1)) || !p->unit)
		p->unit = realloc(p->unit, (2 * p->nunit + 2) * sizeof(*u));
	u = &p->unit[p->nunit++];
	u->die = *die;
	u->lo = (u32)lo;
	u->hi = (u32)hi;
	u->model = false;
}

static void read_units(struct sym_program *p)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	if (!p->dwarf)
		return;
	while (!dwarf_get_units(p->dwarf, cu, &cu, NULL, NULL, &die, NULL)) {
		Dwarf_Addr base, lo, hi;
		ptrdiff_t at = 0;

		while ((at = dwarf_ranges(&die, at, &base, &lo, &hi)) > 0)
			add_unit(p, &die, lo, hi);
	}
}

/* Does any code in [lo, hi) call a callback of the instrumentation? */
static bool calls_tsan(u32 lo, u32 hi)
{
	const struct sym_func *f;
	u32 pc = lo;

	while ((pc = sym_next_call(pc, hi, &f)))
		if (!strncmp(f->name, "__tsan_", 7))
			return true;
	return false;
}

/* Instrumented files end with a constructor that calls __tsan_init, also when
 * they have no access of their own. */
static bool before_constructor(const struct sym_program *p, u32 hi)
{
	const struct sym_func *f = sym_func_start((hi + 15) & ~15u);

	(void)p;
	return f && !strcmp(f->name, "tsan.module_ctor");
}

static void mark_models(struct sym_program *p)
{
	u32 i, j;

	for (i = 0; i < p->nunit; i++)
		p->unit[i].model = calls_tsan(p->unit[i].lo, p->unit[i].hi) ||
				   before_constructor(p, p->unit[i].hi);
	for (i = 0; i < p->nfunc; i++)
		for (j = 0; j < p->nunit && !p->func[i].model; j++)
			p->func[i].model = p->unit[j].model &&
					   p->func[i].lo >= p->unit[j].lo &&
					   p->func[i].lo < p->unit[j].hi;
}

struct sym_program *sym_program(void)
{
	static bool opened;
	struct sym_program *p = &program_;
	GElf_Ehdr eh;
	int fd;

	if (opened)
		return p;
	opened = true;
	elf_version(EV_CURRENT);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	p->elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!p->elf || !gelf_getehdr(p->elf, &eh))
		return p;
	p->machine = eh.e_machine;
	p->dwarf = dwarf_begin_elf(p->elf, DWARF_C_READ, NULL);
	read_symbols(p);
	read_units(p);
	mark_models(p);
	return p;
}

const struct sym_func *sym_func_at(u32 addr)
{
	const struct sym_program *p = sym_program();
	u32 lo = 0, hi = p->nfunc;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (p->func[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= p->func[lo - 1].hi)
		return NULL;
	/* aliases: the first of equal addresses */
	while (lo > 1 && p->func[lo - 2].lo == p->func[lo - 1].lo)
		lo--;
	return &p->func[lo - 1];
}

const struct sym_func *sym_func_start(u32 addr)
{
	const struct sym_func *f = sym_func_at(addr);

	return f && f->lo == addr ? f : NULL;
}

const u8 *sym_bytes(u64 addr, u64 size)
{
	const struct sym_program *p = sym_program();
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(p->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
		    sh.sh_type == SHT_NOBITS || addr < sh.sh_addr ||
		    addr + size > sh.sh_addr + sh.sh_size)
			continue;
		data = elf_rawdata(scn, NULL);
		return data ? (const u8 *)data->d_buf + (addr - sh.sh_addr)
			    : NULL;
	}
	return NULL;
}
