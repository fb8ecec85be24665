/* SPDX-License-Identifier: MIT */
/* Shared by the sym*.c files: the program's own ELF file and debug info. */
#ifndef TRIAGE_SYM_PRIVATE_H
#define TRIAGE_SYM_PRIVATE_H

#include <elfutils/libdw.h>
#include <gelf.h>

#include "sym.h"

struct sym_func {
	u32 lo, hi;
	const char *name;
	bool model;
};

struct sym_unit {
	Dwarf_Die die;
	u32 lo, hi; /* one entry per range of the unit */
	bool model;
};

struct sym_program {
	Dwarf *dwarf; /* NULL: no debug information */
	Elf *elf;
	u16 machine;
	struct sym_func *func; /* sorted by address */
	u32 nfunc;
	struct sym_unit *unit;
	u32 nunit;
};

/* Opened at first use. */
struct sym_program *sym_program(void);
const struct sym_func *sym_func_at(u32 addr);
const struct sym_func *sym_func_start(u32 addr);
/* Bytes of the program at addr, as they lie in the file. */
const u8 *sym_bytes(u64 addr, u64 size);

/* The direct call whose return address is pc: its target, or 0. */
u32 sym_call_target(u32 pc);
/* Next return address after pc (below hi) of a direct call of a function. */
u32 sym_next_call(u32 pc, u32 hi, const struct sym_func **target);

/* The instruction at at, copied to out (16 bytes) without its references, and
 * the target of a direct call or jump; its size. */
u32 sym_insn(const u8 *code, u32 left, u32 at, u8 *out, u32 *target);

/* Functions around pc, innermost first, inlined ones included. */
enum { SYM_MAX_CHAIN = 16 };
struct sym_chain {
	u32 pc;
	u32 n;
	Dwarf_Die unit;
	Dwarf_Die die[SYM_MAX_CHAIN];
};
bool sym_chain(u32 pc, struct sym_chain *c);

/* Is this function or type declared in a header of include/heddle (mm.h
 * excepted, which is model)? */
bool sym_is_api(Dwarf_Die *die);
bool sym_is_api_file(const char *file);
/* Path of the member at off, appended to buf. */
bool sym_member(Dwarf_Die *type, u64 off, char *buf, size_t size);
/* Path as the debug information has it, without the folder of the build. */
void sym_path(const char *path, Dwarf_Die *unit, char *buf, size_t size);

#endif
