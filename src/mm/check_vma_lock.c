/* SPDX-License-Identifier: MIT */
/* exclusion, detached-read-lock, lost-write-lock, unlocked-write: what the VMA
 * lock promises.
 *
 * exclusion            a read lock is granted while the VMA is write-locked
 *                      (from the end of vma_start_write() to the unlock or
 *                      downgrade), or the other way round; or it is marked as
 *                      write-locked (vm_lock_seq) while a reader is inside
 * detached-read-lock   a read lock is granted on a VMA whose detach has begun
 * unlocked-write       a field that readers rely on is changed in a VMA that can
 *                      be found, and that is not write-locked, or it can be
 *                      found from now on; except anon_vma by a fault, which has
 *                      a rule of its own
 * lost-write-lock      a VMA that was write-locked and whose lock has ended
 *                      (vma_end_write_all) before mmap_lock is unlocked: its
 *                      field is written, or a reader is let in
 * And rules of how it is done (verdict assert): a reader's increment never
 * reaches VMA_LOCK_OFFSET, which would look like a writer; since 6.14 mm_lock_seq
 * is odd while a VMA is write-locked; write locks end before mmap_lock is given
 * up or shared, and then no VMA has the number of mm_lock_seq any more.
 *
 * Fields are watched by their stores, not by notes, so that code that is pasted
 * is judged as well. */
#include <heddle/mm.h>
#include <stddef.h>

#include "../engine/engine.h"
#include "check.h"

enum { MAX_VMAS = 24 };

struct vma_state {
	u64 vma;     /* address; 0: free entry */
	u64 mm;
	u8 readers;  /* read locks that were granted */
	u8 write_locked, detached, attached;
	u8 lost;     /* write lock ended, but mmap_lock is still held for write */
	u8 pad[3];
};
static struct vma_state *state; /* world */
static bool watching; /* stores; set in the set-up of each loaded variant */

#define FIELD(f)                                                       \
	{ offsetof(struct vm_area_struct, f),                          \
	  sizeof(((struct vm_area_struct *)0)->f), #f }
static const struct {
	u32 off, size;
	const char *name;
} fields[] = {
	FIELD(vm_start), FIELD(vm_end), FIELD(vm_pgoff), FIELD(vm_flags),
	FIELD(vm_page_prot),
	FIELD(anon_vma), FIELD(vm_ops), FIELD(vm_file), FIELD(vm_policy),
	FIELD(vm_userfaultfd_ctx),
};
enum { NFIELDS = sizeof(fields) / sizeof(fields[0]) };

/* --- order: what is judged at a store or unlock depends on notes that came before,
 * of which the op itself says nothing ------------------------------------------ */

static void order_on_writers(u64 vma, bool write)
{
	hd_order_on(vma | 3ull << 62, write);
}

/* Readers do not depend on each other: it is the mark that is written. */
static void order_on_readers(u64 vma, bool mark)
{
	hd_order_on(vma | 5ull << 61, mark);
}

/* --- VMAs ---------------------------------------------------------------------- */

static struct vma_state *known(u64 vma)
{
	u32 i;

	for (i = 0; i < MAX_VMAS && state[i].vma; i++)
		if (state[i].vma == vma)
			return &state[i];
	return NULL;
}

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

static bool holds_page_table_lock(u64 mm)
{
	const struct mm_struct *m = (const struct mm_struct *)mm;

	return hd_lock_is_held(&m->page_table_lock.dep_map, -1);
}

/* rule must be a literal. */
static void broken(const char *rule, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_ASSERT, .pc = pc,
				.nnames = 1, .names = { rule } };

	hd_raise(v);
}

/* The number that stands for the writer of these days. */
static u32 writer(u64 mm)
{
	return ((const struct mm_struct *)mm)->mm_lock_seq.sequence;
}

static void judge_odd(u64 mm, u32 pc)
{
	if (mm_form()->lock && !mm_form()->lock->seq_at_unlock &&
	    !(writer(mm) & 1))
		broken("mm_lock_seq is odd while a VMA is write-locked", pc);
}

static void end_all(u64 mm, bool last, u32 pc)
{
	u32 i;

	for (i = 0; i < MAX_VMAS; i++) {
		if (state[i].mm != mm)
			continue;
		order_on_writers(state[i].vma, true);
		if (state[i].write_locked &&
		    ((const struct vm_area_struct *)state[i].vma)->vm_lock_seq ==
			    writer(mm))
			broken("no VMA stays write-locked", pc);
		state[i].lost = !last && (state[i].lost | state[i].write_locked);
		state[i].write_locked = 0;
	}
}

static void reader_inc(const struct hd_event *ev)
{
	u32 offset = mm_form()->lock_offset, after = (u32)ev->val;

	/* with a writer inside the offset is there anyway: then the count
	 * below it must not carry into the next multiple */
	if (after == offset)
		broken("a reader's increment reached VMA_LOCK_OFFSET",
		       ev->op.pc);
}

/* --- stores to fields -------------------------------------------------- */

static void judge_store(const struct vma_state *s, const char *field, u32 pc)
{
	struct hd_verdict v = {
		.kind = s->lost ? HD_V_LOST_WRITE_LOCK : HD_V_UNLOCKED_WRITE,
		.pc = pc, .nnames = 2, .names = { field, "vm_area_struct" }
	};

	hd_raise(v);
}

/* From now on its writer takes it for locked. */
static void judge_mark(const struct vma_state *s, const struct hd_event *ev)
{
	const struct mm_struct *mm = (const struct mm_struct *)s->mm;

	order_on_readers(s->vma, true);
	if (s->readers && (unsigned int)ev->val == mm->mm_lock_seq.sequence)
		raise(HD_V_EXCLUSION, ev->op.pc);
}

static void on_store(const struct hd_event *ev)
{
	const struct vma_state *s = NULL;
	u64 off = 0;
	u32 i;

	if (!hd_in_heap(ev->op.addr))
		return;
	for (i = 0; i < MAX_VMAS && state[i].vma; i++) {
		off = ev->op.addr - state[i].vma;
		if (off < sizeof(struct vm_area_struct))
			s = &state[i];
	}
	if (!s)
		return;
	off = ev->op.addr - s->vma;
	if (off == offsetof(struct vm_area_struct, vm_lock_seq))
		judge_mark(s, ev);
	for (i = 0; i < NFIELDS; i++)
		if (off - fields[i].off < fields[i].size)
			break;
	if (i == NFIELDS)
		return;
	order_on_writers(s->vma, false);
	if (!s->attached || s->write_locked)
		return;
	/* anon_vma_prepare(), by a fault or before a stack grows */
	if (off == offsetof(struct vm_area_struct, anon_vma) && !ev->old &&
	    holds_page_table_lock(s->mm))
		return;
	judge_store(s, fields[i].name, ev->op.pc);
}

/* mmap_lock is no longer held for write, or is about to be. */
static void on_unlock(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u32 i;

	if (ev->op.flags & HD_SHARED || !W->running)
		return;
	for (i = 0; i < MAX_VMAS && state[i].vma; i++) {
		mm = (const struct mm_struct *)state[i].mm;
		if (ev->op.addr - (u64)&mm->mmap_lock >= sizeof(mm->mmap_lock))
			continue;
		order_on_writers(state[i].vma, false);
		if (state[i].write_locked)
			broken("write locks end before mmap_lock is unlocked",
			       ev->op.pc);
	}
}

static void watch_ops(void)
{
	if (watching || !mm_form()->lock)
		return;
	watching = true;
	hd_subscribe(HD_STORE, on_store);
	hd_subscribe(HD_UNLOCK, on_unlock);
	hd_subscribe(HD_DOWNGRADE, on_unlock);
}

static void on_note(const struct hd_event *ev)
{
	struct vma_state *s;

	switch (ev->op.code) {
	case MM_NOTE_NEW:
		watch_ops();
		break;
	case MM_NOTE_READ_LOCKED:
		s = find(ev->old, ev->op.addr);
		order_on_readers(s->vma, false);
		s->readers++;
		if (s->write_locked)
			raise(HD_V_EXCLUSION, ev->op.pc);
		if (s->lost)
			raise(HD_V_LOST_WRITE_LOCK, ev->op.pc);
		if (s->detached)
			raise(HD_V_DETACHED_READ_LOCK, ev->op.pc);
		break;
	case MM_NOTE_READ_UNLOCK:
		s = find(ev->old, ev->op.addr);
		order_on_readers(s->vma, false);
		if (s->readers)
			s->readers--;
		break;
	case MM_NOTE_WRITE_LOCKED:
		s = find(ev->old, ev->op.addr);
		order_on_writers(s->vma, true);
		s->write_locked = 1;
		judge_odd(ev->op.addr, ev->op.pc);
		s->lost = 0;
		if (s->readers)
			raise(HD_V_EXCLUSION, ev->op.pc);
		break;
	case MM_NOTE_WRITE_END_ALL:
		end_all(ev->op.addr, ev->val, ev->op.pc);
		break;
	case MM_NOTE_DETACHED:
		s = find(ev->old, ev->op.addr);
		order_on_writers(s->vma, true);
		s->detached = 1;
		s->attached = 0;
		break;
	case MM_NOTE_ATTACHED:
		s = find(ev->old, ev->op.addr);
		order_on_writers(s->vma, true);
		s->detached = 0;
		s->attached = 1;
		if (!s->write_locked)
			judge_store(s, "attached", ev->op.pc);
		break;
	case MM_NOTE_VMA_FREED:
		s = known(ev->old);
		if (!s)
			break;
		order_on_writers(s->vma, true);
		s->attached = s->write_locked = s->lost = 0;
		break;
	case MM_NOTE_READER_INC:
		reader_inc(ev);
		break;
	}
}

void check_vma_lock_start(void)
{
	watching = false;
	state = hd_world_reserve(MAX_VMAS * sizeof(*state));
	hd_subscribe(HD_EV_NOTE, on_note);
}
