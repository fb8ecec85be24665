/* SPDX-License-Identifier: MIT */
/* A page fault on a device's memory against turning that memory off: seed 003.
 *
 * Source: the thread of [PATCH 3/3] "vfio-pci: Invalidate mmaps and block MMIO
 * access on disabled memory", 1 to 5 May 2020 (CVE-2020-12888; merged in 5.8 as
 * abafbc551fdd).  User space may clear the memory bit of a device's command
 * register; a machine check is what it gets if it then touches the memory.  So
 * the bit may change only when no mapping is left, and a fault may bring one
 * back only while the bit is set.  memory_lock guards the bit.  But the fault
 * comes with mmap_lock held, and taking mappings away needs mmap_lock.
 *
 * What to read out of the variants:
 * - naive: memory_lock outside of mmap_lock in the zap, inside in the fault.
 *   lockdep says so in any run in which both happen.  To block they need a
 *   third task, as both only read mmap_lock: any mmap() that waits for it in
 *   between.
 * - v1 breaks the cycle by a trylock in the fault, and asks for a retry.  No
 *   deadlock; but a caller that cannot retry is told SIGBUS although memory was
 *   on all the time.  Up to 5.6 every fault could retry only once, and two
 *   writes of the register that change nothing were enough.  Two faults on one
 *   page that both came before the first had mapped it run into the BUG_ON() of
 *   remap_pfn_range(): what was later found in 5.8 is in v1 as well.  (Beside
 *   the verdicts: as long as a writer that was woken has not got to run, such a
 *   fault goes round at full speed.  Its trylock fails as somebody waits, but
 *   its down_read() does not: the semaphore is free.)
 * - pause-*: a fault sleeps, with mmap_lock, until the user turns memory on.
 *   If he does not, it sleeps forever (pause-off), and if the buffer of his
 *   write(2) is not present, he cannot, once a writer waits for mmap_lock
 *   (pause-user-page).  lockdep knows nothing of either.  The flag and the bit
 *   are two things under two locks, so two writes of the register at a time
 *   leave the memory off and faults let in (pause-enable).
 * - 5.8, the second sketch: memory_lock inside of vma_lock.  No cycle; but the
 *   fault gives vma_lock up before it maps: the zap finds the VMA in the list,
 *   takes it out and has nothing to take away yet.  5.14 keeps vma_lock, for
 *   the BUG_ON() (5.8-two-faults), and closes this hole as well, which its
 *   commit does not say.  To look into the list alone (5.8-looks) closes
 *   neither: after such a zap the VMA is in the list no longer, and is mapped
 *   twice again.  And who finds it there returns before it is mapped
 *   (spurious-success).
 * - 5.14-munmap: munmap shares mmap_lock before it frees page tables, and calls
 *   ->close, which takes the VMA off the list, last.  A zap that comes in
 *   between finds the VMA and walks freed page tables.  This comes from the
 *   model, not from a mail; binder_vs_munmap is the same mistake.  Where page
 *   tables are freed by RCU, and the walker looks at the PMD again under RCU, it
 *   should do no harm: not modelled.
 * - 5.14-exit: a process that ends is left alone; it takes its mappings away
 *   itself, and the rule is about those that live.
 * - 6.10 has no list: mappings are found by the file, and munmap takes a VMA
 *   out of i_mmap before it frees page tables.  Clean.
 *
 * The other 5.14-* and 6.10-* variants leave one step out.  A task whose part a
 * variant does not have ends at once. */
#include <heddle/user_call.h>

#include "vfio_posted.h"

#define DEV 0x2000ul  /* the mapping of the device: one page */
#define DEV2 0x8000ul /* another one, of its second page */
#define BUF 0x4000ul  /* ordinary memory of the same process: present */
#define BUF2 0x5000ul /* not present */

/* What the tasks do beside the fault; bits. */
enum {
	OFF = 1,       /* config: turn memory off */
	ON = 2,        /* config: then on */
	ON_ON = 4,     /* config: on, twice, while it is on */
	ENABLE = 8,    /* enable: on, from another thread */
	WRITER = 16,   /* mmap: any writer of mmap_lock */
	MUNMAP = 32,   /* munmap: of the device */
	FAULT2 = 64,   /* a second fault on the same page */
	READ = 128,    /* read(2) of the device */
	NO_RETRY = 256,   /* the fault comes from hmm_range_fault() */
	RETRY_ONCE = 512, /* the fault is one of 5.6 */
	SWAPPED = 1024,   /* the process's ordinary page is not present */
	MAPPED = 2048,    /* another mapping is in use */
	NO_FAULT = 4096,
	EXIT = 8192,      /* exit: the process ends, another one is left */
};

/* A variant: a form, and who takes part. */
struct cast {
	struct vfio_form form;
	u32 roles;
};

static bool role(u32 bits)
{
	return container_of(vfio_form(), struct cast, form)->roles & bits;
}

static struct mm_struct *mm; /* where the device is mapped */
static struct mm_struct *caller; /* of config's */
static struct vfio_pci_device *vdev;

static void setup(void)
{
	caller = mm = mm_alloc();
	if (role(EXIT))
		caller = mm_alloc();
	vdev = vfio_pci_probe(true);
	vfio_pci_mmap(vdev, mm, DEV, DEV + PAGE_SIZE, 0);
	pte_alloc(mm, DEV);
	mm_add_vma(caller, BUF, BUF2 + PAGE_SIZE);
	do_user_addr_fault(caller, BUF, FAULT_FLAG_WRITE);
	if (!role(MAPPED))
		return;
	vfio_pci_mmap(vdev, mm, DEV2, DEV2 + PAGE_SIZE, 1);
	do_user_addr_fault(mm, DEV2, FAULT_FLAG_WRITE);
}

/* Where the second of two system calls copies from. */
static unsigned long buf(void)
{
	return role(SWAPPED) ? BUF2 : BUF;
}

static void config_write(bool memory, unsigned long from)
{
	heddle_assert(!vfio_pci_config_write(vdev, memory, caller, from));
}

static void config_task(void *arg)
{
	(void)arg;
	if (role(OFF))
		config_write(false, BUF);
	if (role(ON | ON_ON))
		config_write(true, buf());
	if (role(ON_ON))
		config_write(true, BUF);
	return_to_user();
}

static void enable_task(void *arg)
{
	(void)arg;
	if (role(ENABLE))
		config_write(true, BUF);
}

static void mmap_task(void *arg)
{
	(void)arg;
	if (!role(WRITER))
		return;
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
}

static void munmap_task(void *arg)
{
	unsigned long addr = role(MAPPED) ? DEV2 : DEV;

	(void)arg;
	if (role(MUNMAP))
		do_munmap(mm, addr, addr + PAGE_SIZE);
}

static void exit_task(void *arg)
{
	(void)arg;
	if (role(EXIT))
		mmput(mm);
}

/* get_user_pages() and hmm_range_fault() of 2020, and faults up to 5.6: a retry
 * may be not allowed at all, or once. */
static int old_fault(unsigned int flags)
{
	struct vm_area_struct *vma;
	int ret = VM_FAULT_SIGSEGV;

	for (;;) {
		mmap_read_lock(mm);
		vma = vma_lookup(mm, DEV);
		if (!vma)
			break;
		ret = handle_mm_fault(vma, DEV, flags);
		if (!(ret & VM_FAULT_RETRY))
			break;
		flags &= ~(unsigned int)FAULT_FLAG_ALLOW_RETRY;
		flags |= FAULT_FLAG_TRIED;
	}
	mmap_read_unlock(mm);
	return ret;
}

static int fault(void)
{
	if (role(NO_RETRY))
		return old_fault(FAULT_FLAG_WRITE);
	if (role(RETRY_ONCE))
		return old_fault(FAULT_FLAG_WRITE | FAULT_FLAG_USER |
				 FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE);
	return do_user_addr_fault(mm, DEV, FAULT_FLAG_USER | FAULT_FLAG_WRITE);
}

static void fault_task(void *arg)
{
	(void)arg;
	if (role(NO_FAULT))
		return;
	user_call_begin(vdev);
	user_call_end(fault() & VM_FAULT_SIGBUS);
}

static void fault2_task(void *arg)
{
	if (role(FAULT2))
		fault_task(arg);
}

static void read_task(void *arg)
{
	(void)arg;
	if (role(READ))
		vfio_pci_bar_read(vdev, mm, buf());
}

static const struct heddle_task tasks[] = {
	{ .name = "config", .fn = config_task },
	{ .name = "enable", .fn = enable_task },
	{ .name = "mmap", .fn = mmap_task },
	{ .name = "munmap", .fn = munmap_task },
	{ .name = "exit", .fn = exit_task },
	{ .name = "fault", .fn = fault_task },
	{ .name = "fault2", .fn = fault2_task },
	{ .name = "read", .fn = read_task },
	{ 0 },
};

#define CAST(id, o, w, r, ...)                                         \
	static const struct cast id##_cast = {                         \
		.form = { .ops = &(o), .without = (w) }, .roles = (r)  \
	};                                                             \
	static const struct mm_form id = { .parts = MM_FILE,           \
					   .more = &id##_cast.form, __VA_ARGS__ }
CAST(naive, naive_ops, 0, OFF | MAPPED | WRITER);
CAST(v1, v1_ops, 0, OFF | MAPPED | WRITER);
CAST(v1_no_retry, v1_ops, 0, OFF | NO_RETRY);
CAST(v1_retry_once, v1_ops, 0, ON_ON | RETRY_ONCE);
CAST(v1_two_faults, v1_ops, 0, FAULT2);
CAST(pause, pause_ops, 0, OFF | ON);
CAST(pause_first, pause_first_ops, 0, OFF | ON | MAPPED);
CAST(pause_no_look, pause_ops, VFIO_STEP_ZAP_LOOKS, OFF | ON);
CAST(pause_off, pause_ops, 0, OFF);
CAST(pause_user_page, pause_ops, 0, OFF | ON | WRITER | SWAPPED);
CAST(pause_enable, pause_ops, 0, OFF | ON | ENABLE);
CAST(v5_8, vfio_5_14, VFIO_5_8_WITHOUT, OFF);
CAST(v5_8_two_faults, vfio_5_14, VFIO_5_8_WITHOUT, FAULT2);
CAST(v5_8_looks, vfio_5_14, VFIO_STEP_FAULT_KEEPS, OFF | FAULT2);
CAST(v5_14, vfio_5_14, 0, OFF | ON | MAPPED | WRITER);
CAST(v5_14_two_faults, vfio_5_14, 0, OFF | FAULT2);
CAST(v5_14_read, vfio_5_14, 0, OFF | READ | SWAPPED);
CAST(v5_14_enomem, vfio_5_14, 0, OFF);
CAST(v5_14_munmap, vfio_5_14, 0, OFF | MAPPED | MUNMAP | NO_FAULT);
CAST(v5_14_exit, vfio_5_14, 0, OFF | MAPPED | EXIT | NO_FAULT);
CAST(no_memory_lock, vfio_5_14, VFIO_STEP_FAULT_LOCKS, OFF);
CAST(no_look, vfio_5_14, VFIO_STEP_FAULT_LOOKS, FAULT2);
CAST(zap_once, vfio_5_14, VFIO_STEP_ZAP_LOOKS, OFF);
CAST(zap_unlocks, vfio_5_14, VFIO_STEP_ZAP_KEEPS, OFF);
CAST(read_unlocked, vfio_5_14, VFIO_STEP_READ_LOCKS, OFF | READ | NO_FAULT);
CAST(write_copies, vfio_5_14, VFIO_STEP_COPY_OUTSIDE,
     OFF | ON | WRITER | SWAPPED);
CAST(read_copies, vfio_5_14, VFIO_STEP_COPY_OUTSIDE,
     OFF | WRITER | READ | SWAPPED);
#define GEN1 .lock = &vma_lock_gen1, .free_by_rcu = true
CAST(v6_10, vfio_6_10, 0, OFF | ON | MAPPED | WRITER, GEN1);
CAST(v6_10_two_faults, vfio_6_10, 0, OFF | FAULT2, GEN1);
CAST(v6_10_munmap, vfio_6_10, 0, OFF | MUNMAP);
CAST(v6_10_no_memory_lock, vfio_6_10, VFIO_STEP_FAULT_LOCKS, OFF, GEN1);
CAST(v6_10_zap_first, vfio_6_10, VFIO_STEP_LOCK_FIRST, OFF, GEN1);

/* What a clean search must have seen. */
#define GOALS(id, ...) static const char *const id[] = { __VA_ARGS__, NULL }
GOALS(both_ways, "device mapped", "memory is off: SIGBUS");
GOALS(maps, "device mapped");
GOALS(v1_goals, "device mapped", "memory is off: SIGBUS",
      "memory_lock is busy: retry", "mapping taken away");
GOALS(pause_goals, "device mapped", "fault waits", "mapping taken away");
GOALS(zap_goals, "device mapped", "memory is off: SIGBUS",
      "mapping taken away");
GOALS(read_goals, "device mapped", "device memory read",
      "memory is off: SIGBUS");
GOALS(enomem_goals, "device mapped", "no memory for the list: OOM");
GOALS(vma_lock_goals, "device mapped", "memory is off: SIGBUS",
      "read lock granted");
GOALS(munmap_goals, "device mapped", "memory is off: SIGBUS",
      "no VMA: SIGSEGV");
GOALS(exit_goals, "memory turned off", "its process ends",
      "mapping taken away");
GOALS(none, "memory turned off");

#define V1 "[PATCH 3/3] vfio-pci: Invalidate mmaps and block MMIO access on " \
	   "disabled memory, 1 May 2020"
#define SKETCH "Jason Gunthorpe's sketch of 4 May 2020 in the thread of v1"
#define IN_5_8 "abafbc551fdd vfio-pci: Invalidate mmaps and block MMIO " \
	       "access on disabled memory"
#define IN_5_14 "6a45ece4c9af vfio/pci: Handle concurrent vma faults"
#define IN_6_10 "aac6db75a9fc vfio/pci: Use unmap_mapping_range()"
#define BROKEN "ours: one step left out"

static const struct heddle_variant variants[] = {
	{ "naive", "memory_lock inside of mmap_lock in the fault, outside in "
	  "the zap", &naive, { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } },
	  .kernel = "never posted" },
	{ "v1", "v1 as posted: trylock, else wait without mmap_lock and retry",
	  &v1, .kernel = "posted", .goals = v1_goals },
	{ "v1-no-retry", "v1, the fault of a caller that cannot retry",
	  &v1_no_retry, { { HD_V_SPURIOUS_ERROR, 1 } }, .kernel = "posted" },
	{ "v1-retry-once", "v1 before 5.7, where a fault is retried once",
	  &v1_retry_once, { { HD_V_SPURIOUS_ERROR, 1 } }, .kernel = "posted",
	  .goals = maps },
	{ "v1-two-faults", "v1, two faults on one page", &v1_two_faults,
	  { { HD_V_BUG, 1 } }, .kernel = "posted", .goals = maps },
	{ "pause", "faults wait for a flag, set when the list is empty", &pause,
	  .kernel = "sketch", .source = SKETCH, .goals = pause_goals },
	{ "pause-first", "the flag is set before the first VMA is zapped",
	  &pause_first, .kernel = "sketch", .source = SKETCH,
	  .goals = pause_goals },
	{ "pause-no-look", "pause, the list not looked at under the vma_lock "
	  "that sets the flag", &pause_no_look, { { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN, .goals = maps },
	{ "pause-off", "pause, and nobody turns memory on again", &pause_off,
	  { { HD_V_DEADLOCK, 0 } }, .kernel = "sketch", .source = SKETCH,
	  .goals = maps },
	{ "pause-user-page", "pause, the buffer that turns memory on is not "
	  "present", &pause_user_page, { { HD_V_DEADLOCK, 1 } },
	  .kernel = "sketch", .source = SKETCH, .goals = maps },
	{ "pause-enable", "pause, two tasks write the register", &pause_enable,
	  { { HD_V_DISABLED_MEMORY, 1 } }, .kernel = "sketch",
	  .source = SKETCH, .goals = maps },
	{ "5.8", "vma_lock, memory_lock inside; the fault maps without vma_lock",
	  &v5_8, { { HD_V_DISABLED_MEMORY, 1 } }, .kernel = "5.8-5.13",
	  .source = IN_5_8 },
	{ "5.8-two-faults", "5.8, two faults on one page", &v5_8_two_faults,
	  { { HD_V_BUG, 1 } }, .kernel = "5.8-5.13", .source = IN_5_8,
	  .goals = maps },
	{ "5.8-looks", "5.8, the fault looks whether the list has the VMA",
	  &v5_8_looks, { { HD_V_DISABLED_MEMORY, 1 },
	    { HD_V_SPURIOUS_SUCCESS, 1 }, { HD_V_BUG, 2 } },
	  .source = BROKEN },
	{ "5.14", "the fault keeps vma_lock until it has mapped", &v5_14,
	  .kernel = "5.14-6.9", .source = IN_5_14, .goals = zap_goals },
	{ "5.14-two-faults", "5.14, two faults on one page", &v5_14_two_faults,
	  .kernel = "5.14-6.9", .source = IN_5_14 },
	{ "5.14-read", "5.14, and a read(2) of the device", &v5_14_read,
	  .kernel = "5.14-6.9", .source = IN_5_14, .goals = read_goals },
	{ "5.14-enomem", "5.14, no memory for the list's entry", &v5_14_enomem,
	  .kernel = "5.14-6.9", .source = IN_5_14, .goals = enomem_goals,
	  .fail = 1 },
	{ "5.14-munmap", "5.14, munmap of another mapping of the device",
	  &v5_14_munmap, { { HD_V_PAGETABLE, 1 }, { HD_V_FREED, 1 },
			   { HD_V_ASSERT_RACE, 1 } },
	  .kernel = "5.8-6.9", .source = IN_5_14, .goals = none },
	{ "5.14-exit", "5.14, the process that maps the device ends",
	  &v5_14_exit, .kernel = "5.8-6.9", .source = IN_5_14,
	  .goals = exit_goals },
	{ "5.14-no-memory-lock", "5.14, the fault without memory_lock",
	  &no_memory_lock,
	  { { HD_V_DATA_RACE, 0 }, { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN },
	{ "5.14-no-look", "5.14, the fault does not look into the list",
	  &no_look, { { HD_V_BUG, 1 } }, .source = BROKEN, .goals = maps },
	{ "5.14-zap-once", "5.14, the list is not looked at again under the "
	  "vma_lock that is kept", &zap_once, { { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN },
	{ "5.14-zap-unlocks", "5.14, vma_lock is dropped before memory_lock is "
	  "taken", &zap_unlocks, { { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN },
	{ "5.14-read-unlocked", "5.14, read(2) without memory_lock",
	  &read_unlocked,
	  { { HD_V_DATA_RACE, 0 }, { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN, .goals = none },
	{ "5.14-write-copies", "5.14, the register's write(2) copies from user "
	  "under memory_lock", &write_copies,
	  { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } }, .source = BROKEN },
	{ "5.14-read-copies", "5.14, read(2) copies to user under memory_lock",
	  &read_copies, { { HD_V_CIRCULAR, 0 }, { HD_V_DEADLOCK, 1 } },
	  .source = BROKEN },
	{ "6.10", "mappings are found by the file", &v6_10,
	  .kernel = "6.10-6.12", .source = IN_6_10, .goals = vma_lock_goals },
	{ "6.10-two-faults", "6.10, two faults on one page", &v6_10_two_faults,
	  .kernel = "6.10-6.12", .source = IN_6_10, .goals = vma_lock_goals },
	{ "6.10-munmap", "6.10, munmap of the mapping", &v6_10_munmap,
	  .kernel = "6.10-6.12", .source = IN_6_10, .goals = munmap_goals },
	{ "6.10-no-memory-lock", "6.10, the fault without memory_lock",
	  &v6_10_no_memory_lock,
	  { { HD_V_DATA_RACE, 0 }, { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN },
	{ "6.10-zap-first", "6.10, mappings are taken away before memory_lock "
	  "is taken", &v6_10_zap_first, { { HD_V_DISABLED_MEMORY, 1 } },
	  .source = BROKEN },
	{ 0 },
};

static const struct heddle_question questions[] = {
	{ "A fault that cannot retry gets SIGBUS. Do such call sites exist?",
	  "A caller without FAULT_FLAG_ALLOW_RETRY (hmm_range_fault) gets it "
	  "when it meets any holder of memory_lock, and memory was never off "
	  "in the eyes of that fault (1 preemption). Up to 5.6 ordinary "
	  "faults get it, too, at their second attempt. From 5.7 on ordinary "
	  "faults are safe.",
	  "v1-no-retry, v1-retry-once, v1" },
	{ "Would wait_event() be better than an rwsem used as a completion?",
	  "No. To block on memory_lock under mmap_lock is harmless as long as "
	  "its holder needs neither; the flag is cleared by the user, who "
	  "may never do so, or who may need mmap_lock to get there: he blocks "
	  "behind a writer, which waits for the fault, which waits for him. "
	  "lockdep is silent in both.",
	  "pause-off, pause-user-page, 5.14" },
	{ "Must pause_faults be set at the start, rather than at the end?",
	  "No: both orders are clean. A fault that comes between two passes of "
	  "the zap costs another pass. But what sets the flag must have seen "
	  "the list empty under the same vma_lock.",
	  "pause, pause-first, pause-no-look" },
	{ "Is pause_faults a shadow of the memory bit?",
	  "Only as long as one task at a time writes the register. The bit "
	  "changes under memory_lock, the flag is set under vma_lock: a write "
	  "that turns memory on clears the flag of one that is about to turn "
	  "it off, and a fault maps memory that is off.",
	  "pause-enable" },
	{ "Is the only requirement that user pages are not touched inside of "
	  "the write side of memory_lock?",
	  "No. The zap's own mmap_lock is as bad (naive). And the read side is "
	  "no better: with a writer waiting for each of the locks the same "
	  "cycle blocks. Both copy outside of it in the accepted form.",
	  "5.14-write-copies, 5.14-read-copies, naive, 5.14-read" },
	{ "Can we block on memory_lock so long as there is no ordering issue?",
	  "Yes: mmap_lock, vma_lock, memory_lock, in this order, and vma_lock "
	  "given up and taken again by the zap.",
	  "5.14, 5.14-two-faults, naive" },
	{ "Is what was merged complete?",
	  "5.8 is not: a mapping can be made between the zap and the end of "
	  "the fault that was first in the list, and two faults hit a "
	  "BUG_ON(). 5.14 repairs both. Up to 6.9 the zap can walk page tables "
	  "that a munmap frees, because ->close comes last. 6.10 is clean.",
	  "5.8, 5.8-two-faults, 5.14, 5.14-munmap, 6.10-munmap" },
	{ 0 },
};

HEDDLE_SCENARIO(vfio_fault_vs_disable) = {
	.name = "vfio_fault_vs_disable",
	.title = "a fault on a device's memory against turning that memory off",
	.source = V1,
	.not_modelled = "fork, the TLB, power management, other BARs",
	.seed = "003",
	.copied = "the order of locks in fault, zap, close, read(2) and write(2)",
	.simplified = "one BAR, mappings of one page; of the command register one "
		      "bit; the register's emulation",
	.different = "a fault in the list's time maps the whole VMA, which is one "
		     "page; page tables are freed at once, not by RCU",
	.questions = questions,
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = both_ways,
};
