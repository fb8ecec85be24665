/* SPDX-License-Identifier: MIT */
/* UFFDIO_COPY holds mmap_lock and may fault on the page that it copies: seed 002.
 *
 * Source: Andrea Arcangeli's mail of 22 May 2015 in the thread of [PATCH 22/23]
 * "userfaultfd: avoid mmap_sem read recursion in mcopy_atomic" (merged in 4.3).
 *
 * A task copies a page of its own to an address of its own.  Before the patch it
 * read-locked mmap_lock (then mmap_sem) and copied; a page that is not there means
 * a page fault, which read-locks it once more.  As a second task may want the
 * lock for write, the rules by which a semaphore lets readers in decide what comes
 * of it, so these are a switch.
 *
 * What to read out of the variants:
 * - before*: lockdep says recursive locking in the first run, whatever the rules;
 *   the deadlock is a matter of the rules, and of a page that is not there.  So
 *   "never deadlocks in fact" was true of before-present.
 * - 4.3-zeropage: the error that means "copy without the lock" was -EFAULT, which
 *   is an error also to others.  If a zeropage call returns it, for a check that
 *   somebody adds, there is no page, and BUG_ON() says so: what the mail fears.
 *   4.20 took another number.
 * - 6.1-kmap-local: the same recursion again, seven years later: kmap_atomic() had
 *   disabled page faults, kmap_local_page() does not.
 * - 6.12*: under the VMA lock.  Without pagefault_disable() it is the VMA lock now
 *   that is held when the fault waits for mmap_lock: circular, deadlock.
 * - 7.1*: after the retry another kind of VMA may lie there.  If the call goes on
 *   with what it made of the first one, an anonymous page lands in shared memory
 *   (Z30), where no reverse map leads to it.
 * - 4.3-leak: what is filled and not installed must be put on every way out. */
#include "uffd_copy.h"

static struct mm_struct *mm;
static struct userfaultfd_ctx *ctx;

/* --- 7.1: locks are let go in the middle, and taken again --------------------- */

/* What the call goes by: the kind of the VMA. */
struct mfill_state {
	struct vm_area_struct *vma;
	vm_flags_t shared;
	unsigned long pgoff;
	struct folio *folio;
};

static void mfill_put_vma(struct mfill_state *state)
{
	up_read(&ctx->map_changing_lock);
	uffd_mfill_unlock(state->vma);
	state->vma = NULL;
}

static int mfill_get_vma(struct mfill_state *state)
{
	struct vm_area_struct *vma = uffd_mfill_lock(mm, DST, PAGE_SIZE);

	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	down_read(&ctx->map_changing_lock);
	state->vma = vma;
	if (!atomic_read(&ctx->mmap_changing))
		return 0;
	mfill_put_vma(state);
	return -EAGAIN;
}

static int mfill_copy_folio_retry(struct mfill_state *state)
{
	int err;

	mfill_put_vma(state);
	heddle_mark("retry with a page filled");
	if (copy_from_user(&state->folio->data[0], mm, SRC)) {
		user_cause_here(-EFAULT);
		return -EFAULT;
	}
	err = mfill_get_vma(state);
	if (err || choice()->trusts_vma)
		return err;
	if ((state->vma->vm_flags & VM_SHARED) == state->shared &&
	    state->vma->vm_pgoff == state->pgoff)
		return 0;
	heddle_mark("another VMA by now");
	user_cause_here(-EAGAIN);
	return -EAGAIN;
}

/* What is done for anonymous memory (anon_uffd_ops). */
static int mfill_anon(struct mfill_state *state)
{
	unsigned long left;
	int err = 0;

	state->folio = uffd_alloc_folio();
	if (!state->folio)
		return -ENOMEM;
	pagefault_disable();
	left = copy_from_user(&state->folio->data[0], mm, SRC);
	pagefault_enable();
	if (left)
		err = mfill_copy_folio_retry(state);
	if (!err)
		err = mfill_atomic_install_pte(state->vma, DST, state->folio);
	if (err)
		folio_put(state->folio);
	return err;
}

static int mfill_atomic(void)
{
	struct mfill_state state = { .vma = NULL };
	int err = mfill_get_vma(&state);

	if (err)
		return err;
	state.shared = state.vma->vm_flags & VM_SHARED;
	state.pgoff = state.vma->vm_pgoff;
	if (state.shared) {
		heddle_remark("shared memory: another case");
		err = 0;
	} else {
		err = mfill_anon(&state);
	}
	if (state.vma)
		mfill_put_vma(&state);
	return err;
}

static void copy_7_1(void)
{
	int err;

	user_call_begin(mm);
	user_call_needs_vma(mm, DST);
	err = mfill_atomic();
	return_to_user();
	user_call_end(err);
}

/* --- tasks -------------------------------------------------------------------- */

static void setup(void)
{
	heddle_rwsem_policy(choice()->policy);
	mm = new_mm();
	ctx = vma_lookup(mm, DST)->vm_userfaultfd_ctx.ctx;
	if (choice()->writer == ELSEWHERE)
		mm_add_vma(mm, C, C + PAGE_SIZE);
}

/* Shared memory, which the same context watches. */
static void remap(void)
{
	struct vm_area_struct *vma;

	if (do_mmap(mm, DST, DST + PAGE_SIZE, VM_READ | VM_WRITE | VM_SHARED,
		    NULL, 0))
		return;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, DST);
	mmap_read_unlock(mm);
	userfaultfd_register(ctx, vma, VM_UFFD_MISSING);
}

static int unregistered; /* since before the call */

static void unregister(void)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = vma_lookup(mm, DST);
	vma_start_write(vma);
	vma->vm_flags &= ~VM_UFFD_MISSING;
	vma->vm_userfaultfd_ctx.ctx = NULL;
	mmap_write_unlock(mm);
	WRITE_ONCE(unregistered, 1);
}

static void writer_task(void *arg)
{
	(void)arg;
	switch (choice()->writer) {
	case ELSEWHERE:
		do_mprotect(mm, C, C + PAGE_SIZE, VM_READ);
		break;
	case MUNMAP:
		do_munmap(mm, SRC, DST + PAGE_SIZE);
		break;
	case UNREGISTER:
		unregister();
		break;
	case REMAP:
		remap();
		break;
	}
	return_to_user();
}

static void copy_task(void *arg)
{
	bool too_late = READ_ONCE(unregistered);
	int err;

	(void)arg;
	if (choice()->writer == REMAP) {
		copy_7_1();
	} else if (mm_form()->lock) {
		err = userfaultfd_copy(ctx, DST, mm, SRC);
		heddle_assert(!too_late || err);
		if (too_late)
			heddle_mark("not registered");
	} else {
		mcopy_atomic(mm, mm);
	}
}

static const struct heddle_task tasks[] = {
	{ "writer", writer_task, NULL },
	{ "copy", copy_task, NULL },
	{ 0 },
};

/* --- variants -------------------------------------------------------------------- */

#define NO_DISABLE (.lock = &vma_lock_gen1, .free_by_rcu = true, \
		    .without = MM_STEP_COPY_DISABLES_FAULTS)
#define GEN3_MMAP (.lock = &vma_lock_v10, .lock_offset = 0x40000000, \
		   .mmap = MM_MMAP_6_12)
FORM(before, MMAP_SEM, .copies_locked = true);
FORM(before_present, MMAP_SEM, .copies_locked = true, .present = true);
FORM(before_prefer, MMAP_SEM, .copies_locked = true,
     .policy = RWSEM_READER_PREFERRING);
FORM(before_rt, MMAP_SEM, .copies_locked = true, .policy = RWSEM_RT);
FORM(fixed, MMAP_SEM, .retry = -EFAULT);
FORM(fixed_munmap, MMAP_SEM, .retry = -EFAULT, .writer = MUNMAP);
FORM(leak, MMAP_SEM, .retry = -EFAULT, .writer = MUNMAP, .leaks = true);
FORM(zeropage, MMAP_SEM, .retry = -EFAULT, .what = ZEROPAGE);
FORM(zeropage_4_20, MMAP_SEM, .retry = -ENOENT, .what = ZEROPAGE);
FORM(kmap_local, MMAP_SEM, .retry = -ENOENT, .forgets_disable = true);
FORM(vma_lock, GEN1, .writer = ELSEWHERE);
FORM(vma_lock_munmap, GEN1, .writer = MUNMAP);
FORM(vma_lock_unregister, GEN1, .writer = UNREGISTER);
FORM(no_disable, NO_DISABLE, .writer = MUNMAP);
FORM(trusts, GEN3_MMAP, .writer = REMAP, .trusts_vma = true);
FORM(verifies, GEN3_MMAP, .writer = REMAP);


static const char *const goals[] = { "page installed",
				     "retry with a page filled", NULL };
static const char *const zeropage_goals[] = { "page installed", "no page",
					      NULL };
static const char *const unwatched[] = { "page installed", "not registered",
					 NULL };
static const char *const verified[] = { "retry with a page filled",
					"another VMA by now", NULL };

#define PATCH "[PATCH 22/23] userfaultfd: avoid mmap_sem read recursion in " \
	      "mcopy_atomic, 14 May 2015; b6ebaedb4cb1"
#define ENOENT_4_20 "userfaultfd: use ENOENT instead of EFAULT if the atomic " \
		    "copy user fails, 26 Nov 2018"
#define Z30 "userfaultfd: verify VMA state across UFFDIO_COPY retry, " \
	    "85668fda932a"
static const struct heddle_variant variants[] = {
	{ "before", "copies under mmap_lock", &before_form,
	  { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } },
	  .kernel = "posted" },
	{ "before-present", "the same; the page copied is there",
	  &before_present_form, { { HD_V_RECURSIVE, 0 } }, .bound = 4,
	  .kernel = "posted" },
	{ "before-prefer", "the same; readers go before waiting writers",
	  &before_prefer_form, { { HD_V_RECURSIVE, 0 } }, .bound = 4,
	  .kernel = "posted" },
	{ "before-rt", "the same, semaphores as with PREEMPT_RT",
	  &before_rt_form, { { HD_V_RECURSIVE, 0 } }, .bound = 4,
	  .kernel = "posted" },
	{ "4.3", "faults disabled; else without the lock, and once more",
	  &fixed_form, .source = PATCH, .kernel = "4.3-4.19", .fail = 1 },
	{ "4.3-munmap", "against munmap of both pages", &fixed_munmap_form,
	  .source = PATCH, .kernel = "4.3-4.19", .fail = 1 },
	{ "4.3-zeropage", "a check that returns the retry's -EFAULT",
	  &zeropage_form, { { HD_V_BUG, 0 } },
	  .source = "4.3 with the retval that the mail warns of",
	  .kernel = "4.3-4.19" },
	{ "4.3-leak", "does not put the page if the retry fails", &leak_form,
	  { { HD_V_LEAK, 1 } }, .source = "4.3, broken on purpose" },
	{ "4.20-zeropage", "the same check; the retry is -ENOENT",
	  &zeropage_4_20_form, .goals = zeropage_goals, .source = ENOENT_4_20,
	  .kernel = "4.20-6.0", .fail = 1 },
	{ "6.1-kmap-local", "kmap_local_page() disables no page faults",
	  &kmap_local_form, { { HD_V_RECURSIVE, 0 }, { HD_V_DEADLOCK, 1 } },
	  .source = "7a7256d5f512 and its fix, 2022", .kernel = "6.1-rc" },
	{ "6.12", "under the VMA lock and map_changing_lock", &vma_lock_form,
	  .source = "mm/userfaultfd.c of 6.12", .kernel = "6.9-7.0",
	  .fail = 1 },
	{ "6.12-munmap", "against munmap of both pages", &vma_lock_munmap_form,
	  .source = "mm/userfaultfd.c of 6.12",
	  .kernel = "6.9-7.0", .fail = 1 },
	{ "6.12-unregister", "dst is no longer watched",
	  &vma_lock_unregister_form, .goals = unwatched,
	  .source = "mm/userfaultfd.c of 6.12", .kernel = "6.9-7.0",
	  .fail = 1 },
	{ "6.12-no-disable", "does not disable page faults", &no_disable_form,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } },
	  .source = "6.12, broken on purpose" },
	{ "7.1-trusts", "takes the VMA for the same after the retry",
	  &trusts_form, { { HD_V_RMAP, 1 } }, .source = Z30,
	  .kernel = "7.1-rc" },
	{ "7.1", "compares what the VMA is after the retry", &verifies_form,
	  .goals = verified, .bound = 2, .source = Z30, .kernel = "7.1",
	  .fail = 1 },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "In practice it'd be safe to read-lock recurse?",
	  "Only where readers go before waiting writers, as in a semaphore that "
	  "starves them, or with PREEMPT_RT. With the kernel's, where a "
	  "waiting writer keeps new readers out, two tasks deadlock after one "
	  "preemption.",
	  "before, before-prefer, before-rt" },
	{ "We just got lockdep complains, never deadlocks in fact: why?",
	  "lockdep speaks up in the first run, for the copy may fault. The "
	  "deadlock needs a source page that is not there, and a writer that "
	  "comes between the two locks.",
	  "before-present, before" },
	{ "Does the fix help, and can the retry go on for ever?",
	  "It does, and it ends: the page is filled without the lock, so the "
	  "second pass has nothing to copy. What was filled is put on each "
	  "way out.",
	  "4.3, 4.3-munmap, 4.3-leak" },
	{ "Would it be bad to end up in the -EFAULT path in the zeropage case?",
	  "Yes, if somebody later adds an -EFAULT: there is no page, and BUG_ON() "
	  "stops the machine. 4.20 took -ENOENT for the retry, so that -EFAULT "
	  "is an error and nothing else.",
	  "4.3-zeropage, 4.20-zeropage" },
	{ "Is all this still so under the VMA lock?",
	  "Yes. Page faults must be disabled, else the VMA lock is held when "
	  "mmap_lock is waited for; and all that is known of the VMA must be "
	  "looked at again after the retry.",
	  "6.12, 6.12-no-disable, 7.1-trusts, 7.1" },
	{ NULL },
};

HEDDLE_SCENARIO(uffd_copy_vs_writer) = {
	.name = "uffd_copy_vs_writer",
	.title = "UFFDIO_COPY faults under mmap_lock, and a writer waits for it",
	.source = SEED_002,
	.seed = "002",
	.not_modelled = NOT_MODELLED,
	.copied = COPIED,
	.simplified = SIMPLIFIED,
	.different = DIFFERENT,
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
