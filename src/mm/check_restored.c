/* SPDX-License-Identifier: MIT */
/* not-restored: a call on an address space fails, and something of what it had
 * done remains.
 *
 * A call that comes back with -ENOMEM or -EINTR must not have happened.  Whoever
 * has mmap_lock for write says where it begins (MM_NOTE_CALL) and, before it
 * gives the lock back, that it failed (MM_NOTE_CALL_FAILED); then each page of
 * the address space must be what it was: mapped or not, with the same flags,
 * page number, file, ops, policy, userfaultfd context and anon_vma, in a VMA
 * that readers are let into.  It is judged by pages, so a VMA that was split and
 * stays in two halves is as good as before: the kernel leaves it so.
 *
 * Some calls are promised in parts, and note each part: mprotect() of several
 * VMAs changes those in front of the one that fails; mremap() does not bring
 * back what it unmapped at the new place, nor the tail that it cut off.  Not
 * looked at: what pages contain and page tables, because a failed call may drop
 * what a fault brings back. */
#include <heddle/mm.h>

#include "../base/hash.h"
#include "../engine/engine.h"
#include "check.h"

enum field { MAPPED, ATTACHED, FLAGS, PGOFF, PROT, OPS, FILE_, POLICY, CTX,
	     ANON, NFIELDS };
static const char *const name[NFIELDS] = {
	[MAPPED] = "range", [ATTACHED] = "attached", [FLAGS] = "vm_flags",
	[PGOFF] = "vm_pgoff", [PROT] = "vm_page_prot", [OPS] = "vm_ops",
	[FILE_] = "vm_file", [POLICY] = "vm_policy",
	[CTX] = "vm_userfaultfd_ctx", [ANON] = "anon_vma",
};

/* Of each field, a hash over all pages: enough to say which one differs. */
struct pages {
	u64 field[NFIELDS];
};
static struct pages *before; /* world: by mm, as check_mm() counts them */

/* May readers come in, once mmap_lock is given back? */
static bool attached(const struct vm_area_struct *vma)
{
	const struct vma_lock_ops *lock = mm_form()->lock;
	u32 count = (u32)vma->vm_refcnt.refs.counter;

	if (!lock)
		return true;
	if (lock->detached_flag)
		return !vma->detached;
	/* those inside may leave at any time: how many does not matter */
	return count && !(count & mm_form()->lock_offset);
}

static u64 value(const struct vm_area_struct *vma, u64 addr, enum field f)
{
	switch (f) {
	case ATTACHED: return attached(vma);
	case FLAGS: return vma->vm_flags;
	case PGOFF: return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
	case PROT: return vma->vm_page_prot;
	case OPS: return (u64)vma->vm_ops;
	case FILE_: return (u64)vma->vm_file;
	case POLICY: return (u64)vma->vm_policy;
	case CTX: return (u64)vma->vm_userfaultfd_ctx.ctx;
	case ANON: return (u64)vma->anon_vma;
	default: return 0;
	}
}

static void add_vma(struct pages *p, const struct vm_area_struct *vma,
		    u64 first, u64 last)
{
	u64 addr;
	u32 f;

	for (addr = first; addr < last; addr += PAGE_SIZE) {
		p->field[MAPPED] = hd_fold(p->field[MAPPED], addr + 1);
		for (f = MAPPED + 1; f < NFIELDS; f++)
			p->field[f] = hd_fold(p->field[f], value(vma, addr, f));
	}
}

static struct pages pages_of(const struct mm_struct *mm)
{
	const struct maple_node *node = mm->mm_mt.root;
	struct pages p = { { 0 } };
	u32 i;

	for (i = 0; i < node->nslots; i++)
		if (node->slot[i].vma)
			add_vma(&p, node->slot[i].vma, node->slot[i].first,
				node->slot[i].last + 1);
	return p;
}

static void judge(const struct mm_struct *mm, const struct pages *was, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_NOT_RESTORED, .pc = pc,
				.nnames = 2, .names = { NULL, "mm_struct" } };
	struct pages is = pages_of(mm);
	u32 f;

	for (f = 0; f < NFIELDS && is.field[f] == was->field[f]; f++)
		;
	if (f == NFIELDS)
		return;
	v.names[0] = name[f];
	hd_raise(v);
}

static void on_note(const struct hd_event *ev)
{
	const struct mm_struct *mm = (const struct mm_struct *)ev->op.addr;
	u32 i;

	if (ev->op.code != MM_NOTE_CALL && ev->op.code != MM_NOTE_CALL_FAILED)
		return;
	for (i = 0; check_mm(i) != mm; i++)
		if (!check_mm(i))
			return;
	if (ev->op.code == MM_NOTE_CALL)
		before[i] = pages_of(mm);
	else
		judge(mm, &before[i], ev->op.pc);
}

void check_restored_start(void)
{
	before = hd_world_reserve(CHECK_MMS * sizeof(*before));
	hd_subscribe(HD_EV_NOTE, on_note);
}
