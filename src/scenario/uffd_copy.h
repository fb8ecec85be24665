/* SPDX-License-Identifier: MIT */
/* The stage of seed 002, and mcopy_atomic() in the forms that the mail is about,
 * all of the time when mmap_lock was the only lock (mmap_sem, 4.3 to 6.8).
 * Shared by uffd_copy_vs_writer and uffd_copies_vs_writers. */
#ifndef SCENARIO_UFFD_COPY_H
#define SCENARIO_UFFD_COPY_H

#include <heddle/errno.h>
#include <heddle/rmap.h>
#include <heddle/rwsem.h>
#include <heddle/uaccess.h>
#include <heddle/user_call.h>
#include <heddle/userfaultfd.h>

#define SEED_002                                                          \
	"Re: [Qemu-devel] [PATCH 22/23] userfaultfd: avoid mmap_sem read " \
	"recursion in mcopy_atomic, 22 May 2015"
#define NOT_MODELLED "several pages, hugetlb, shmem but for its kind of VMA"
#define COPIED                                                             \
	"when mmap_lock, VMA lock and map_changing_lock are held, when page " \
	"faults are disabled, who owns the page on each way out"
#define DIFFERENT                                                         \
	"the forms up to 6.8 install pages and handle faults with the code " \
	"of 6.12; VMAs are in a tree under RCU also before 6.1"
#define SIMPLIFIED "one page, whose contents are one word"

#define SRC 0x3000ul /* not present until somebody touches it */
#define DST 0x4000ul
#define C 0x8000ul

enum writer {
	ELSEWHERE, /* mprotect of another VMA */
	MUNMAP,    /* of source and destination */
	UNREGISTER, /* the destination is no longer watched */
	REMAP,     /* shared memory where the destination was */
};
enum zeropage { COPY, ZEROPAGE };

/* What a form of mcopy_atomic() does. */
struct choice {
	enum rwsem_policy policy;
	u8 writer;          /* enum writer */
	bool present;       /* the source page is there */
	bool copies_locked; /* and may fault: before the patch */
	bool forgets_disable; /* the copy under the lock may fault: 2022 */
	int retry;          /* the error that means: copy without the lock */
	u8 what;            /* enum zeropage */
	bool leaks;         /* the page, if the call fails with it at hand */
	bool trusts_vma;    /* 7.1: takes it for the same after the retry */
};

static const struct choice *choice(void)
{
	return mm_form()->more;
}

/* --- mcopy_atomic() ------------------------------------------------------------ */

/* A page for *pagep, filled; choice()->retry: *pagep is not filled yet. */
static int fill_page(struct mm_struct *src_mm, unsigned long src,
		     struct folio **pagep)
{
	struct folio *page = uffd_alloc_folio();
	bool disable = !choice()->copies_locked && !choice()->forgets_disable;
	unsigned long left;

	if (!page)
		return -ENOMEM;
	if (disable)
		pagefault_disable(); /* kmap_atomic() */
	left = copy_from_user(&page->data[0], src_mm, src);
	if (disable)
		pagefault_enable();
	*pagep = page;
	if (!left)
		return 0;
	if (!choice()->copies_locked)
		return choice()->retry;
	user_cause_here(-EFAULT);
	folio_put(page);
	*pagep = NULL;
	return -EFAULT;
}

static int mcopy_atomic_pte(struct vm_area_struct *dst_vma, unsigned long dst,
			    struct mm_struct *src_mm, unsigned long src,
			    struct folio **pagep)
{
	struct folio *page;
	int err = 0;

	if (!*pagep)
		err = fill_page(src_mm, src, pagep);
	if (err)
		return err;
	page = *pagep;
	*pagep = NULL;
	err = mfill_atomic_install_pte(dst_vma, dst, page);
	if (err)
		folio_put(page);
	return err;
}

/* The file that is mapped may be too short: a check that somebody adds. */
static int mfill_zeropage_pte(struct vm_area_struct *dst_vma, unsigned long dst)
{
	struct folio *page;
	int err;

	if (heddle_choose(2)) {
		heddle_remark("behind the end of the file");
		user_cause_here(-EFAULT);
		return -EFAULT;
	}
	page = uffd_alloc_folio();
	if (!page)
		return -ENOMEM;
	err = mfill_atomic_install_pte(dst_vma, dst, page);
	if (err)
		folio_put(page);
	return err;
}

/* Under mmap_lock: once. */
static int mcopy_atomic_locked(struct mm_struct *dst_mm, unsigned long dst,
			       struct mm_struct *src_mm, unsigned long src,
			       struct folio **pagep)
{
	struct vm_area_struct *dst_vma = vma_lookup(dst_mm, dst);

	if (!dst_vma || !dst_vma->vm_userfaultfd_ctx.ctx) {
		user_cause_here(-EINVAL);
		return -EINVAL;
	}
	if (anon_vma_prepare(dst_vma)) {
		user_cause_here(-ENOMEM);
		return -ENOMEM;
	}
	if (choice()->what == ZEROPAGE)
		return mfill_zeropage_pte(dst_vma, dst);
	return mcopy_atomic_pte(dst_vma, dst, src_mm, src, pagep);
}

static int __mcopy_atomic(struct mm_struct *dst_mm, unsigned long dst,
			  struct mm_struct *src_mm, unsigned long src)
{
	struct folio *page = NULL;
	int err;

retry:
	mmap_read_lock(dst_mm);
	err = mcopy_atomic_locked(dst_mm, dst, src_mm, src, &page);
	mmap_read_unlock(dst_mm);
	if (err && err == choice()->retry) {
		BUG_ON(!page);
		heddle_mark("retry with a page filled");
		if (!copy_from_user(&page->data[0], src_mm, src))
			goto retry;
		user_cause_here(-EFAULT);
		err = -EFAULT;
	}
	if (page && !choice()->leaks)
		folio_put(page);
	return err;
}

/* UFFDIO_COPY by a task of src_mm. */
static void mcopy_atomic(struct mm_struct *dst_mm, struct mm_struct *src_mm)
{
	int err;

	user_call_begin(dst_mm);
	user_call_needs_vma(dst_mm, DST);
	err = __mcopy_atomic(dst_mm, DST, src_mm, SRC);
	return_to_user();
	user_call_end(err);
}

/* --- the stage ------------------------------------------------------------------- */

static struct mm_struct *new_mm(void)
{
	struct mm_struct *mm = mm_alloc();
	struct userfaultfd_ctx *ctx = userfaultfd_new(mm);

	mm_add_vma(mm, SRC, SRC + PAGE_SIZE);
	userfaultfd_register(ctx, mm_add_vma(mm, DST, DST + PAGE_SIZE),
			     VM_UFFD_MISSING);
	pte_alloc(mm, SRC);
	pte_alloc(mm, DST);
	if (choice()->present)
		uffd_add_page(vma_lookup(mm, SRC), SRC);
	return mm;
}

#define FORM(name, vma_lock, ...)                                      \
	static const struct choice name##_choice = { __VA_ARGS__ };    \
	static const struct mm_form name##_form = {                    \
		EXPAND vma_lock, .parts = MM_ANON,                     \
		.more = &name##_choice,                                \
	}
#define EXPAND(...) __VA_ARGS__
#define MMAP_SEM (.lock = NULL)
#define GEN1 (.lock = &vma_lock_gen1, .free_by_rcu = true)
#define GEN3 (.lock = &vma_lock_v10, .lock_offset = 0x40000000)

#endif
