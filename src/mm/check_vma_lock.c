/* SPDX-License-Identifier: MIT */
/* exclusion, detached-read-lock: what a VMA read lock promises.
 *
 * exclusion            a read lock is granted while the VMA is write-locked
 *                      (from the end of vma_start_write() to the unlock or
 *                      downgrade), or the other way round
 * detached-read-lock   a read lock is granted on a VMA whose detach has begun
 * And one rule of the reference count: a reader's increment never reaches
 * VMA_LOCK_OFFSET, which would look like a writer (verdict assert). */
#include <heddle/mm.h>

#include "../engine/engine.h"
#include "check.h"

enum { MAX_VMAS = 8 };

struct vma_state {
	u64 vma;     /* address; 0: free entry */
	u64 mm;
	u64 readers; /* tasks inside */
	u8 write_locked, detached;
	u8 pad[6];
};

static struct vma_state *state; /* world */

static struct vma_state *find(u64 vma, u64 mm)
{
	u32 i;

	for (i = 0; i < MAX_VMAS; i++)
		if (state[i].vma == vma || !state[i].vma)
			break;
	if (i == MAX_VMAS)
		hd_limit("VMAs known to the checks");
	state[i].vma = vma;
	state[i].mm = mm;
	return &state[i];
}

static void raise(u8 kind, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc, .nnames = 1,
				.names = { "vm_area_struct" } };

	hd_raise(v);
}

static void end_all(u64 mm)
{
	u32 i;

	for (i = 0; i < MAX_VMAS; i++)
		if (state[i].mm == mm)
			state[i].write_locked = 0;
}

static void reader_inc(const struct hd_event *ev)
{
	static const char rule[] =
		"a reader's increment reached VMA_LOCK_OFFSET";
	struct hd_verdict v = { .kind = HD_V_ASSERT, .pc = ev->op.pc,
				.nnames = 1, .names = { rule } };
	u32 offset = mm_form()->lock_offset, after = (u32)ev->val;

	/* with a writer inside the offset is there anyway: then the count
	 * below it must not carry into the next multiple */
	if (after == offset)
		hd_raise(v);
}

static void on_note(const struct hd_event *ev)
{
	struct vma_state *s;
	u64 me = 1ull << (ev->task & 63);

	switch (ev->op.code) {
	case MM_NOTE_READ_LOCKED:
		s = find(ev->old, ev->op.addr);
		s->readers |= me;
		if (s->write_locked)
			raise(HD_V_EXCLUSION, ev->op.pc);
		if (s->detached)
			raise(HD_V_DETACHED_READ_LOCK, ev->op.pc);
		break;
	case MM_NOTE_READ_UNLOCK:
		find(ev->old, ev->op.addr)->readers &= ~me;
		break;
	case MM_NOTE_WRITE_LOCKED:
		s = find(ev->old, ev->op.addr);
		s->write_locked = 1;
		if (s->readers)
			raise(HD_V_EXCLUSION, ev->op.pc);
		break;
	case MM_NOTE_WRITE_END_ALL:
		end_all(ev->op.addr);
		break;
	case MM_NOTE_DETACHED:
		find(ev->old, ev->op.addr)->detached = 1;
		break;
	case MM_NOTE_READER_INC:
		reader_inc(ev);
		break;
	}
}

void check_vma_lock_start(void)
{
	state = hd_world_reserve(MAX_VMAS * sizeof(*state));
	hd_subscribe(HD_EV_NOTE, on_note);
}
