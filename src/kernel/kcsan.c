/* SPDX-License-Identifier: MIT */
/* What does a model say to the race oracle about its accesses?  None of it is an
 * op; see include/heddle/compiler.h for what it means. */
#include <heddle/compiler.h>

#include "kernel.h"

/* --- accesses that are no plain ones ------------------------------------- */

void kcsan_disable_current(void)
{
	W->cur->race_off++;
}

void kcsan_enable_current(void)
{
	if (W->cur->race_off)
		W->cur->race_off--;
}

void kcsan_nestable_atomic_begin(void)
{
	W->cur->race_atomic++;
}

void kcsan_nestable_atomic_end(void)
{
	if (W->cur->race_atomic)
		W->cur->race_atomic--;
}

void kcsan_atomic_next(int n)
{
	W->cur->race_next = (u16)n;
}

/* --- claims -------------------------------------------------------------- */

static const char *text(u8 what)
{
	if (what & HD_EXCLUSIVE_BITS)
		return "ASSERT_EXCLUSIVE_BITS";
	return what & HD_EXCLUSIVE_ACCESS ? "ASSERT_EXCLUSIVE_ACCESS" :
					    "ASSERT_EXCLUSIVE_WRITER";
}

static void claim(const volatile void *p, u32 size, u8 what, u64 mask, u32 pc,
		  bool end)
{
	hd_settle();
	if (!W->running || W->cur->race_off || !hd_access_oracle.exclusive ||
	    !(hd_in_heap((u64)p) || hd_in_statics((u64)p)))
		return;
	hd_need_op();
	if (!end)
		hd_remark_at(text(what), pc, p, size);
	/* who comes first, decides what a claim about bits gets to see */
	hd_order_range(p, size, what & HD_EXCLUSIVE_ACCESS);
	hd_access_oracle.exclusive((u64)p, size, what, mask, pc, end);
}

void hd_exclusive(const volatile void *p, u32 size, u8 what, u64 mask)
{
	claim(p, size, what, mask, HD_PC(), false);
}

struct hd_exclusive_scope hd_exclusive_begin(const volatile void *p, u32 size,
					     u8 what)
{
	struct hd_exclusive_scope s = { p, size, what | HD_EXCLUSIVE_SCOPED };

	claim(p, size, s.what, 0, HD_PC(), false);
	return s;
}

void hd_exclusive_end(struct hd_exclusive_scope *s)
{
	claim(s->p, s->size, (u8)s->what, 0, HD_PC(), true);
}
