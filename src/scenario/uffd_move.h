/* SPDX-License-Identifier: MIT */
/* The stage of seed 000: an address space with two VMAs that userfaultfd watches,
 * or one, a task that moves a page between them, and a writer.  Shared by
 * uffd_move_vs_mprotect and its larger form. */
#ifndef SCENARIO_UFFD_MOVE_H
#define SCENARIO_UFFD_MOVE_H

#include <heddle/errno.h>
#include <heddle/userfaultfd.h>

#define SEED_000                                                         \
	"Re: [PATCH v4 3/3] userfaultfd: use per-vma locks in userfaultfd " \
	"operations, 12 Feb 2024"

#define NOT_MODELLED                                                     \
	"swap, pinned and large pages, shared mappings, several pages, "  \
	"TLB flush; merging of the two VMAs"
#define COPIED                                                           \
	"the order in which VMAs, mmap_lock, map_changing_lock, folio, "  \
	"anon_vma and page table locks are taken, and all rechecks"
#define SIMPLIFIED                                                       \
	"one page; a busy retry waits until the sequence moves; an "     \
	"overflow is two numbers that the set-up makes equal, or makes "  \
	"equal at the next write lock, instead of 2^31 such locks"

#define A 0x3000ul /* has a page; other group than B, so other table lock */
#define B 0x4000ul
#define C 0x8000ul

#define DIFFERENT                                                        \
	"posted forms of the locking run with the rest of UFFDIO_MOVE of " \
	"6.9; -overflow variants begin where the sequence is about to " \
	"come round"

#define WRITTEN 7

enum writer {
	MPROTECT, /* both read-only */
	MUNMAP,
	MUNMAP_A,  /* one of the two VMAs only */
	BOTH,      /* mprotect, which does not forbid to move; then munmap */
	USER,      /* an instruction that writes to the page */
	FAULT,     /* on the page's free place */
	DONTNEED,  /* madvise of the page, which needs no VMA lock */
	ELSEWHERE, /* mprotect of another VMA */
	NOBODY,
};

struct choice {
	const struct uffd_move_locking *locking;
	bool one_vma;    /* A and B in one VMA */
	bool overflow;   /* the sequence has come round */
	u8 writer;       /* enum writer */
};

static struct mm_struct *mm;
static struct userfaultfd_ctx *ctx;

static const struct choice *choice(void)
{
	return mm_form()->more;
}

/* --- the stage ------------------------------------------------------------------- */

/* As if mmap_lock had been unlocked so often since vma was last write-locked
 * that the sequence is about to be, or is, what it was then. */
static void let_overflow(struct vm_area_struct *vma)
{
	bool gen1 = mm_form()->lock->seq_at_unlock;

	vma->vm_lock_seq = mm->mm_lock_seq.sequence + (gen1 ? 0 : 1);
}

static void setup(void)
{
	struct vm_area_struct *a, *b;

	mm = mm_alloc();
	ctx = userfaultfd_new(mm);
	a = mm_add_vma(mm, A, choice()->one_vma ? B + PAGE_SIZE : A + PAGE_SIZE);
	/* other flags, so that mprotect does not merge them */
	b = choice()->one_vma ? a :
		mm_add_vma_flags(mm, B, B + PAGE_SIZE,
				 VM_READ | VM_WRITE | VM_NOHUGEPAGE);
	if (choice()->writer == ELSEWHERE)
		mm_add_vma(mm, C, C + PAGE_SIZE);
	userfaultfd_register(ctx, a, VM_UFFD_MISSING);
	if (b != a)
		userfaultfd_register(ctx, b, VM_UFFD_MISSING);
	uffd_add_page(a, A);
	pte_alloc(mm, B);
	if (choice()->overflow)
		let_overflow(a);
}

static void use_page(void)
{
	unsigned long word;

	/* the second one through the TLB, if it still may */
	heddle_assert(!user_read(mm, A, &word));
	heddle_assert(!user_write(mm, A, WRITTEN));
}

static void writer_task(void *arg)
{
	unsigned long end = B + PAGE_SIZE;

	(void)arg;
	switch (choice()->writer) {
	case MPROTECT:
		do_mprotect(mm, A, end, VM_READ);
		break;
	case BOTH:
		do_mprotect(mm, A, end, VM_WRITE);
		fallthrough;
	case MUNMAP:
		do_munmap(mm, A, end);
		break;
	case USER:
		use_page();
		break;
	case FAULT:
		do_user_addr_fault(mm, B, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
		break;
	case DONTNEED:
		do_madvise_dontneed(mm, A, A + PAGE_SIZE);
		break;
	case MUNMAP_A:
		do_munmap(mm, A, A + PAGE_SIZE);
		break;
	case ELSEWHERE:
		do_mprotect(mm, C, C + PAGE_SIZE, VM_READ);
		break;
	case NOBODY:
		return;
	}
	return_to_user();
}

/* vma_lock: GEN1 and the like; then the choice. */
#define FORM(name, vma_lock, ...)                                      \
	static const struct choice name##_choice = { __VA_ARGS__ };    \
	static const struct mm_form name##_form = {                    \
		EXPAND vma_lock,                                       \
		.more = &name##_choice,                                \
	}
#define EXPAND(...) __VA_ARGS__
#define GEN1 (.lock = &vma_lock_gen1, .free_by_rcu = true, .parts = MM_ANON)
#define GEN2 (.lock = &vma_lock_gen2, .free_by_rcu = true, .parts = MM_ANON)
#define GEN3 (.lock = &vma_lock_v10, .lock_offset = 0x40000000, .parts = MM_ANON)

#endif
