/* SPDX-License-Identifier: MIT */
/* spurious-error: a call returns an error to user space, and at no instant since
 * it began was the reason for that error true.
 *
 * A lookup that fails because a lock is busy, or because it came in the middle of
 * a change that is one step to user space, shows itself in this way.  The rule
 * is linearizability's, for errors alone: a call takes effect at some instant
 * between its begin and its end.  Who says what is true when:
 * include/heddle/user_call.h; whether there is a VMA is seen in the tree. */
#include <heddle/errno.h>
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "../engine/engine.h"
#include "check.h"

enum { MAX_CALLS = 8, MAX_CAUSES = 8, MAX_SEEN = 4, MAX_ADDRS = 2 };

struct cause {
	u64 what;  /* 0: free entry */
	s32 err;
	u32 now;
};
struct call {
	u64 what;  /* 0: no call */
	u64 addr[MAX_ADDRS];
	s32 seen[MAX_SEEN]; /* errors that had a reason since the begin */
	u8 task, naddrs, nseen, pad[5];
};
static struct cause *cause; /* world */
static struct call *call;   /* world */

/* --- what models say -------------------------------------------------------- */

void user_call_begin(const void *what)
{
	hd_need_op(); /* the call begins when the task does, not before the run */
	hd_note(USER_NOTE_BEGIN, what, false, 0, 0, HD_PC());
}

void user_call_needs_vma(const struct mm_struct *mm, unsigned long addr)
{
	hd_note(USER_NOTE_NEEDS_VMA, mm, false, addr, 0, HD_PC());
}

void user_cause(const void *what, int err, bool now)
{
	hd_note(USER_NOTE_CAUSE, what, true, (u64)err, now, HD_PC());
}

void user_cause_here(int err)
{
	hd_note(USER_NOTE_CAUSE_HERE, NULL, false, (u64)err, 0, HD_PC());
}

void user_call_end(int err)
{
	hd_note(USER_NOTE_END, NULL, false, (u64)err, 0, HD_PC());
}

/* --- what is made of it ----------------------------------------------------- */

static void saw(struct call *c, s32 err)
{
	u32 i;

	for (i = 0; i < c->nseen; i++)
		if (c->seen[i] == err)
			return;
	if (c->nseen == MAX_SEEN)
		hd_limit("reasons for errors in a call");
	c->seen[c->nseen++] = err;
}

static struct call *call_of(u8 task)
{
	u32 i;

	for (i = 0; i < MAX_CALLS; i++)
		if (call[i].what && call[i].task == task)
			return &call[i];
	return NULL;
}

static void begin(u64 what, u8 task)
{
	struct call *c = call_of(task);
	u32 i;

	for (i = 0; !c && i < MAX_CALLS; i++)
		if (!call[i].what)
			c = &call[i];
	if (!c)
		hd_limit("calls from user space at a time");
	*c = (struct call){ .what = what, .task = task };
	for (i = 0; i < MAX_CAUSES; i++)
		if (cause[i].what == what && cause[i].now)
			saw(c, cause[i].err);
}

static void set_cause(u64 what, s32 err, bool now)
{
	struct cause *slot = NULL;
	u32 i;

	for (i = 0; i < MAX_CAUSES; i++) {
		if (cause[i].what == what && cause[i].err == err)
			slot = &cause[i];
		if (!slot && !cause[i].what)
			slot = &cause[i];
	}
	if (!slot)
		hd_limit("reasons for errors");
	check_order_on_vmas((const void *)what, true);
	*slot = (struct cause){ .what = what, .err = err, .now = now };
	for (i = 0; now && i < MAX_CALLS; i++)
		if (call[i].what == what)
			saw(&call[i], err);
}

static void look_for_vma(struct call *c, u64 addr)
{
	if (check_covered((const struct mm_struct *)c->what, addr))
		return;
	saw(c, -ENOENT);
	saw(c, VM_FAULT_SIGSEGV);
}

static void needs_vma(struct call *c, u64 addr)
{
	if (c->naddrs == MAX_ADDRS)
		hd_limit("addresses of a call");
	c->addr[c->naddrs++] = addr;
	look_for_vma(c, addr);
}

static void tree_changed(u64 mm)
{
	u32 i, k;

	check_order_on_vmas((const void *)mm, true);
	for (i = 0; i < MAX_CALLS; i++)
		for (k = 0; call[i].what == mm && k < call[i].naddrs; k++)
			look_for_vma(&call[i], call[i].addr[k]);
}

static const char *name_of(s32 err)
{
	static const struct {
		s32 err;
		const char *name;
	} names[] = {
		{ -ENOENT, "ENOENT" }, { -EINTR, "EINTR" },
		{ -EAGAIN, "EAGAIN" }, { -ENOMEM, "ENOMEM" },
		{ -EFAULT, "EFAULT" }, { -EBUSY, "EBUSY" },
		{ -EEXIST, "EEXIST" }, { -EINVAL, "EINVAL" },
		{ VM_FAULT_OOM, "OOM" }, { VM_FAULT_SIGBUS, "SIGBUS" },
		{ VM_FAULT_SIGSEGV, "SIGSEGV" },
	};
	u32 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == err)
			return names[i].name;
	return "error";
}

static void end(struct call *c, s32 err, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_SPURIOUS_ERROR, .pc = pc,
				.nnames = 1, .names = { name_of(err) } };
	bool spurious = err;
	u32 i;

	check_order_on_vmas((const void *)c->what, false);
	for (i = 0; i < c->nseen; i++)
		if (c->seen[i] == err)
			spurious = false;
	*c = (struct call){ 0 };
	if (spurious)
		hd_raise(v);
}

static void on_note(const struct hd_event *ev)
{
	struct call *c = call_of(ev->task);

	switch (ev->op.code) {
	case MM_NOTE_TREE:
		tree_changed(ev->op.addr);
		break;
	case USER_NOTE_BEGIN:
		begin(ev->op.addr, ev->task);
		break;
	case USER_NOTE_CAUSE:
		set_cause(ev->op.addr, (s32)ev->old, ev->val);
		break;
	case USER_NOTE_NEEDS_VMA:
		if (c)
			needs_vma(c, ev->old);
		break;
	case USER_NOTE_CAUSE_HERE:
		if (c)
			saw(c, (s32)ev->old);
		break;
	case USER_NOTE_END:
		if (c)
			end(c, (s32)ev->old, ev->op.pc);
		break;
	}
}

void check_user_start(void)
{
	cause = hd_world_reserve(MAX_CAUSES * sizeof(*cause));
	call = hd_world_reserve(MAX_CALLS * sizeof(*call));
	hd_subscribe(HD_EV_NOTE, on_note);
}
