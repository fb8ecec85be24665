/* SPDX-License-Identifier: MIT */
/* Opponents: what else can happen to an address space, as tasks.
 *
 * See include/heddle/opponents.h.  All of it is the accepted code of the mm
 * world; a variant's struct mm_form says of which release. */
#include <heddle/opponents.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#include "mm.h"

static struct {
	struct mm_struct *mm;
	unsigned long start, end;
	struct userfaultfd_ctx *ctx;
	bool exits;
} arena;

static void register_vmas(void)
{
	struct vm_area_struct *vma;

	if (arena.ctx)
		return;
	arena.ctx = userfaultfd_new(arena.mm);
	for (vma = find_vma(arena.mm, arena.start);
	     vma && vma->vm_start < arena.end;
	     vma = find_vma(arena.mm, vma->vm_end))
		userfaultfd_register(arena.ctx, vma, VM_UFFD_MISSING);
}

/* What opponents need of the world; threads of a process that exits count. */
static void get_ready_for(const struct heddle_task *tasks)
{
	const struct heddle_task *t;
	u32 threads = 0;

	for (t = tasks; t->name; t++) {
		if (t->fn != heddle_opponent)
			continue;
		if (t->arg == &heddle_call_exit)
			arena.exits = true;
		else
			threads++;
		if (t->arg == &heddle_call_uffd_copy ||
		    t->arg == &heddle_call_uffd_move)
			register_vmas();
	}
	while (arena.exits && threads--)
		mmget(arena.mm);
}

void heddle_arena(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	arena.mm = mm;
	arena.start = start;
	arena.end = end;
	get_ready_for(heddle_tasks());
}

static unsigned long choose_page(unsigned long start, unsigned long end)
{
	return start + heddle_choose((end - start) >> PAGE_SHIFT) * PAGE_SIZE;
}

/* Somewhere outside of the arena, len bytes; 0: there is none. */
static unsigned long free_place(unsigned long len)
{
	unsigned long addr;

	for (addr = TASK_SIZE - len; addr >= PAGE_SIZE; addr -= PAGE_SIZE)
		if (addr >= arena.end || addr + len <= arena.start)
			return addr;
	return 0;
}

static void munmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	do_munmap(mm, start, end);
}

static void fault(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned int write = heddle_choose(2) ? FAULT_FLAG_WRITE : 0;

	unsigned long addr = choose_page(start, end);
	int err;

	user_call_begin(mm);
	user_call_needs_vma(mm, addr);
	err = do_user_addr_fault(mm, addr, FAULT_FLAG_USER | write);
	/* a VMA may forbid to write */
	user_call_end(write ? 0 : err);
}

static void mprotect(struct mm_struct *mm, unsigned long start,
		     unsigned long end)
{
	vm_flags_t flags = VM_READ | (heddle_choose(2) ? VM_WRITE : 0);

	do_mprotect(mm, start, end, flags);
}

/* Move it away, leave it and move its pages, or cut it by half. */
static void mremap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long len = end - start, to = free_place(len);
	u32 how = heddle_choose(3);

	if (how == 2)
		do_mremap(mm, start, len, len / 2 & ~0xffful,
					     0, 0);
	else if (to)
		do_mremap(mm, start, len, len, to,
			MREMAP_FIXED | (how ? MREMAP_DONTUNMAP : 0));
}

static void madvise(struct mm_struct *mm, unsigned long start,
		    unsigned long end)
{
	do_madvise_dontneed(mm, start, end);
}

static void mmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	do_mmap(mm, start, end, VM_READ | VM_WRITE, NULL, start >> PAGE_SHIFT);
}

static void fork(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct mm_struct *child;
	int err;

	(void)start;
	(void)end;
	child = dup_mm(mm, &err);
	if (child)
		mmput(child);
}

static void exit(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	mmput(mm);
}

/* From the lower half to the upper one, or the other way round. */
static void choose_pages(unsigned long start, unsigned long end,
			 unsigned long *dst, unsigned long *src)
{
	unsigned long half = (start + end) / 2 & ~(PAGE_SIZE - 1), tmp;

	*dst = choose_page(half, end);
	*src = choose_page(start, half > start ? half : end);
	if (heddle_choose(2)) {
		tmp = *dst;
		*dst = *src;
		*src = tmp;
	}
}

static void uffd_copy(struct mm_struct *mm, unsigned long start,
		      unsigned long end)
{
	unsigned long dst, src;

	choose_pages(start, end, &dst, &src);
	userfaultfd_copy(arena.ctx, dst, mm, src);
}

static void uffd_move(struct mm_struct *mm, unsigned long start,
		      unsigned long end)
{
	unsigned long dst, src;

	(void)mm;
	choose_pages(start, end, &dst, &src);
	userfaultfd_move(arena.ctx, dst, src, &uffd_move_merged);
}

static void writer(struct mm_struct *mm, unsigned long start,
		   unsigned long end)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	for (vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = find_vma(mm, vma->vm_end))
		vma_start_write(vma);
	mmap_write_unlock(mm);
}

static void collapse(struct mm_struct *mm, unsigned long start,
		     unsigned long end)
{
	(void)end;
	collapse_huge_page(mm, start);
}

static void stack_fault(struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long addr = 0;

	(void)start;
	(void)end;
	mmap_read_lock(mm);
	for (vma = find_vma(mm, 0); vma; vma = find_vma(mm, vma->vm_end))
		if (vma->vm_flags & VM_GROWSDOWN && !addr)
			addr = vma->vm_start - PAGE_SIZE;
	mmap_read_unlock(mm);
	if (addr)
		do_user_addr_fault(mm, addr, FAULT_FLAG_USER);
}

#define X(name) \
	const struct mm_call heddle_call_##name = { #name, name };
HD_CALLS(X)
HD_SPECIAL_CALLS(X)
#undef X
const struct mm_call *const heddle_calls[] = {
#define X(name) &heddle_call_##name,
	HD_CALLS(X)
#undef X
	NULL
};

void heddle_make_call(const struct mm_call *call)
{
	unsigned long start = arena.start, end = arena.end;
	unsigned long half = (start + end) / 2 & ~(PAGE_SIZE - 1);
	unsigned long quarter = (half - start) / 2 & ~(PAGE_SIZE - 1);

	switch (heddle_choose(4)) {
	case 1:
		end = half;
		break;
	case 2:
		start = half;
		break;
	case 3:
		start += quarter;
		end -= quarter;
		break;
	}
	call->fn(arena.mm, start, end);
	return_to_user();
}

void heddle_opponent(void *arg)
{
	heddle_make_call(arg);
	if (arena.exits && arg != &heddle_call_exit)
		mmput(arena.mm);
}
