/* SPDX-License-Identifier: MIT */
/* spurious-success, spurious-error: what a page fault says is true at some instant
 * between its begin and its end.
 *
 * Success        the page was mapped, by whomever; and a VMA allowed the access
 * SIGSEGV        no VMA did
 *
 * A page that goes away again before the fault ends does no harm: the CPU faults
 * once more.  One that never came is a fault that never ends, or a handler that
 * forgot its work.  Changes of VMAs are seen when the tree is stored to and when
 * the write locks end; in between, nobody may look. */
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "../engine/engine.h"
#include "check.h"

enum { MAX_FAULTS = 8 };

struct fault {
	const struct mm_struct *mm; /* NULL: free entry */
	u64 addr;
	u8 task, write;
	u8 mapped, allowed, denied; /* at some instant so far */
	u8 pad[3];
};
static struct fault *fault; /* world */

void user_fault_begin(const struct mm_struct *mm, unsigned long addr,
		      unsigned int flags)
{
	hd_note(FAULT_NOTE_BEGIN, NULL, false,
		(addr & ~(PAGE_SIZE - 1)) | (flags & FAULT_FLAG_WRITE),
		(u64)mm, HD_PC());
}

void user_fault_end(int err)
{
	hd_note(FAULT_NOTE_END, NULL, false, (u64)err, 0, HD_PC());
}

static bool allows(const struct vm_area_struct *vma, bool write)
{
	if (!vma)
		return false;
	/* as access_error() in fault.c */
	return !mm_form()->parts ||
	       vma->vm_flags & (write ? VM_WRITE : VM_READ);
}

static void look(struct fault *f)
{
	f->mapped |= check_mapped(f->mm, f->addr);
	if (!allows(check_vma_at(f->mm, f->addr), f->write))
		f->denied = 1;
	else if (mm_form()->parts) /* where it matters: it is state */
		f->allowed = 1;
}

/* The fault's own look: others may be about to change it. */
static void look_first_or_last(struct fault *f)
{
	const struct vm_area_struct *vma = check_vma_at(f->mm, f->addr);

	check_order_on_vmas(f->mm, false);
	check_order_on_page(f->mm, f->addr, false);
	if (vma && mm_form()->parts)
		hd_order_range(&vma->vm_flags, sizeof(vma->vm_flags), false);
	look(f);
}

static void look_all(const struct mm_struct *mm)
{
	u32 i;

	check_order_on_vmas(mm, true);
	for (i = 0; i < MAX_FAULTS; i++)
		if (fault[i].mm == mm)
			look(&fault[i]);
}

static void set_mapped(const struct mm_struct *mm, u64 addr, u64 size)
{
	u64 page;
	u32 i;

	for (page = addr; page < addr + size; page += PAGE_SIZE)
		check_order_on_page(mm, page, true);
	for (i = 0; i < MAX_FAULTS; i++)
		if (fault[i].mm == mm && fault[i].addr - addr < size)
			fault[i].mapped = 1;
}

static void begin(const struct hd_event *ev)
{
	u32 i;

	for (i = 0; i < MAX_FAULTS && fault[i].mm; i++)
		;
	if (i == MAX_FAULTS)
		hd_limit("page faults at a time");
	fault[i] = (struct fault){
		.mm = (const struct mm_struct *)ev->val,
		.addr = ev->old & ~(PAGE_SIZE - 1),
		.write = ev->old & FAULT_FLAG_WRITE,
		.task = ev->task,
	};
	look_first_or_last(&fault[i]);
}

static void raise(u8 kind, const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}

static void judge(const struct fault *f, u64 err, u32 pc)
{
	if (err & VM_FAULT_SIGSEGV && !f->denied)
		raise(HD_V_SPURIOUS_ERROR, "SIGSEGV", pc);
	if (err & (VM_FAULT_SIGSEGV | VM_FAULT_SIGBUS | VM_FAULT_OOM))
		return;
	if (!f->mapped)
		raise(HD_V_SPURIOUS_SUCCESS, "page fault: no page", pc);
	if (!f->allowed && mm_form()->parts)
		raise(HD_V_SPURIOUS_SUCCESS, "page fault: not allowed", pc);
}

static void end(const struct hd_event *ev)
{
	struct fault f;
	u32 i;

	for (i = 0; i < MAX_FAULTS; i++) {
		if (!fault[i].mm || fault[i].task != ev->task)
			continue;
		look_first_or_last(&fault[i]);
		f = fault[i];
		fault[i] = (struct fault){ 0 };
		judge(&f, ev->old, ev->op.pc);
	}
}

static void on_note(const struct hd_event *ev)
{
	const struct mm_struct *mm = (const struct mm_struct *)ev->op.addr;

	switch (ev->op.code) {
	case MM_NOTE_TREE:
	case MM_NOTE_WRITE_END_ALL:
		look_all(mm);
		break;
	case MM_NOTE_PTE_SET:
		set_mapped(mm, ev->old & ~(PAGE_SIZE - 1), PAGE_SIZE);
		break;
	case MM_NOTE_PMD_SET:
		set_mapped(mm, ev->old, PMD_SIZE);
		break;
	case FAULT_NOTE_BEGIN:
		begin(ev);
		break;
	case FAULT_NOTE_END:
		end(ev);
		break;
	}
}

void check_fault_start(void)
{
	fault = hd_world_reserve(MAX_FAULTS * sizeof(*fault));
	hd_subscribe(HD_EV_NOTE, on_note);
}
