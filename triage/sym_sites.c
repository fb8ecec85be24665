/* SPDX-License-Identifier: MIT */
/* Which calls does the machine code of a function make?
 *
 * Direct calls are found without a disassembler: on x86-64 every byte e8 whose
 * 32-bit displacement leads exactly to the start of a function is taken for a
 * call (that other bytes do so by chance is as good as impossible), on aarch64
 * every bl.  Ordinals of sites count the calls of the engine. */
#include <string.h>

#include "sym_private.h"

static bool x86_call(const u8 *b, u32 at, u32 *target)
{
	s32 rel;

	if (b[0] != 0xe8)
		return false;
	memcpy(&rel, b + 1, 4);
	*target = at + 5 + (u32)rel;
	return true;
}

static bool aarch64_call(const u8 *b, u32 at, u32 *target)
{
	u32 insn;

	memcpy(&insn, b, 4);
	if ((insn & 0xfc000000) != 0x94000000)
		return false;
	*target = at + (u32)((s32)(insn << 6) >> 4);
	return true;
}

static u32 call_size(void)
{
	return sym_program()->machine == EM_AARCH64 ? 4 : 5;
}

static bool is_call(const u8 *b, u32 at, u32 *target)
{
	if (sym_program()->machine == EM_AARCH64)
		return aarch64_call(b, at, target);
	return x86_call(b, at, target);
}

u32 sym_call_target(u32 pc)
{
	u32 size = call_size(), target;
	const u8 *b = sym_bytes(pc - size, size);

	return b && is_call(b, pc - size, &target) && sym_func_start(target) ?
		       target : 0;
}

u32 sym_next_call(u32 pc, u32 hi, const struct sym_func **target)
{
	u32 size = call_size(), step = size == 4 ? 4 : 1, at, to;
	const u8 *b;

	if (hi < pc + size)
		return 0;
	b = sym_bytes(pc, hi - pc);
	if (!b)
		return 0;
	for (at = pc; at + size <= hi; at += step, b += step) {
		if (!is_call(b, at, &to))
			continue;
		*target = sym_func_start(to);
		if (*target)
			return at + size;
	}
	return 0;
}

const char *sym_callee(u32 pc)
{
	u32 target = sym_call_target(pc);

	return target ? sym_func_start(target)->name : NULL;
}
