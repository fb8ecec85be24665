/* SPDX-License-Identifier: MIT */
/* What becomes of a BUG, a WARN and a failed assertion of a scenario? */
#include <heddle/bug.h>

#include "kernel.h"

static void raise(u8 kind, bool fatal, const char *cond, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .fatal = fatal, .pc = pc,
				.nnames = 1, .names = { cond } };

	hd_settle();
	hd_raise(v);
}

void hd_bug(const char *cond)
{
	raise(HD_V_BUG, true, cond, HD_PC());
}

void hd_bug_at(const char *cond, u32 pc)
{
	raise(HD_V_BUG, true, cond, pc);
}

void hd_warn(const char *cond)
{
	raise(HD_V_WARN, false, cond, HD_PC());
}

void heddle_assert_failed(const char *cond)
{
	raise(HD_V_ASSERT, false, cond, HD_PC());
}

void heddle_limit(const char *what)
{
	raise(HD_V_LIMIT, true, what, HD_PC());
}
