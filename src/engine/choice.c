/* SPDX-License-Identifier: MIT */
/* Data choices, failures and signals: decisions that are not about who runs.
 * They are edits of the schedule, or branches of the exhaustive search. */
#include <heddle/heddle.h>

#include "coro.h"
#include "engine.h"

static bool find_edit(u8 kind, u32 task, u32 anchor, u16 *arg)
{
	u32 i, end;

	if (!hd_eng.schedule || task >= W->ntasks)
		return false;
	end = hd_eng.first_edit[task + 1];
	for (i = hd_eng.first_edit[task]; i < end; i++) {
		const struct hd_edit *e = &hd_eng.schedule->edit[i];

		if (e->kind == kind && e->anchor == anchor) {
			*arg = e->arg;
			return true;
		}
	}
	return false;
}

/* Ask the search, or the schedule.  0 is the default and costs nothing. */
u32 hd_ask(u8 kind, u32 n)
{
	static const u8 edit[] = { [HD_ASK_CHOOSE] = HD_EDIT_CHOOSE,
				   [HD_ASK_FAIL] = HD_EDIT_FAIL,
				   [HD_ASK_SIGNAL] = HD_EDIT_SIGNAL };
	struct hd_task *t = W->cur;
	u32 answer = 0, anchor;
	u16 arg = 0;

	if (!W->running)
		return 0;
	hd_need_op();
	anchor = kind == HD_ASK_CHOOSE ? ++t->nchoices :
		 kind == HD_ASK_FAIL   ? ++t->nfallible : t->n + 1;
	if (hd_eng.central) {
		hd_eng.asking = kind;
		hd_eng.ask_n = n;
		hd_coro_switch(&t->sp, hd_eng.main_sp);
		answer = hd_eng.ask_answer;
	} else if (find_edit(edit[kind], t->id, anchor, &arg)) {
		answer = kind == HD_ASK_CHOOSE ? arg % n : 1;
	}
	if (answer)
		W->choices++;
	t->hist = t->hist * 31 + answer + 1;
	return answer;
}

u32 heddle_choose(u32 n)
{
	hd_settle();
	return n > 1 ? hd_ask(HD_ASK_CHOOSE, n) : 0;
}

bool heddle_fail(const char *what)
{
	(void)what;
	hd_settle();
	return hd_ask(HD_ASK_FAIL, 2);
}
