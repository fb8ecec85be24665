/* SPDX-License-Identifier: MIT */
/* The VMA lock in its three generations, and the check that knows what it
 * promises: safe and broken twins.
 *
 * Covers vma_lock.c, vma_lock_gen1.c, and check_vma_lock.c as far as it is about
 * fields and about locks that end too early.  (The reference count's own rules:
 * mm_test.c.) */
#include <heddle/mm.h>

#include "twins.h"

/* The model reads the form, the tasks below read broken. */
struct test {
	struct mm_form form;
	bool broken;
	void (*write)(struct vm_area_struct *vma);
};

#define GENERATION(id, ...)                                            \
	static const struct test id = { .form = { __VA_ARGS__ } };     \
	static const struct test id##_broken = {                       \
		.form = { __VA_ARGS__ }, .broken = true                \
	}
GENERATION(gen1, GEN1);
GENERATION(gen2, GEN2);
GENERATION(gen3, V10);

static const struct test *test(void)
{
	return heddle_variant_data();
}

static bool broken(void)
{
	return test()->broken;
}

/* All three generations, each with its broken twin. */
static const char *const any[] = { NULL };
#define GENERATIONS(id, ...)                                           \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "6.4", .data = &gen1 },                      \
		{ .name = "6.4, broken", .data = &gen1_broken,         \
		  .goals = any, .expect = { __VA_ARGS__ } },           \
		{ .name = "6.14", .data = &gen2 },                     \
		{ .name = "6.14, broken", .data = &gen2_broken,        \
		  .goals = any, .expect = { __VA_ARGS__ } },           \
		{ .name = "6.15", .data = &gen3 },                     \
		{ .name = "6.15, broken", .data = &gen3_broken,        \
		  .goals = any, .expect = { __VA_ARGS__ } },           \
		{ .name = NULL },                                      \
	}

static struct vm_area_struct *a, *b;

static void two_vmas(void)
{
	mm = mm_alloc();
	a = mm_add_vma(mm, PAGE(2), PAGE(3));
	b = mm_add_vma(mm, PAGE(3), PAGE(4));
}

/* --- exclusion ------------------------------------------------------------ */

/* Two words that are equal whenever nobody writes. */
static void write_both(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	if (!broken())
		vma_start_write(a);
	a->vm_flags = RW | VM_LOCKED;
	a->vm_pgoff = 7;
	mmap_write_unlock(mm);
}

static void read_both(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(2));
	bool locked;

	(void)arg;
	if (!vma) {
		heddle_mark("not let in");
		return;
	}
	locked = vma->vm_flags & VM_LOCKED;
	heddle_assert(locked == (vma->vm_pgoff == 7));
	vma_end_read(vma);
	if (locked)
		heddle_mark("after the writer");
	else
		heddle_mark("before the writer");
}

static const char *const both_goals[] = { "not let in", "after the writer",
					  "before the writer", NULL };
#define both_setup two_vmas
TWIN_TASKS(both, { "writer", write_both }, { "reader", read_both });
GENERATIONS(both, SHOWS(UNLOCKED_WRITE), SHOWS(DATA_RACE), SHOWS(ASSERT));
TWIN(both, "vma_lock/exclusion", .goals = both_goals);

/* Who was not let in has lost nothing: mmap_lock is there for him. */
static void fault(void *arg)
{
	(void)arg;
	heddle_assert(!do_user_addr_fault(mm, PAGE(2), FAULT_FLAG_USER));
}

static void hold_and_go(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	vma_start_write(a); /* is one already: must not wait for itself */
	mmap_write_unlock(mm);
}

static void mapped_check(void)
{
	heddle_assert(pte_offset(mm, PAGE(2))->pte[2]);
}

static const char *const retry_goals[] = { "read lock granted",
					   "blocked fallback", NULL };
#define retry_setup two_vmas
TWIN_TASKS(retry, { "writer", hold_and_go }, { "fault", fault });
static const struct heddle_variant retry_variants[] = {
	{ .name = "6.4", .data = &gen1 }, { .name = "6.14", .data = &gen2 },
	{ .name = "6.15", .data = &gen3 }, { .name = NULL },
};
TWIN(retry, "vma_lock/not let in costs a retry", .goals = retry_goals,
     .check = mapped_check);

/* False locked: a number that was left behind equals the current one by chance.
 * Readers are turned away, nobody is let in who should not be. */
static void stale_number(void)
{
	two_vmas();
	a->vm_lock_seq = mm->mm_lock_seq.sequence;
}

static void look(void *arg)
{
	(void)arg;
	heddle_assert(!lock_vma_under_rcu(mm, PAGE(2)));
	fault(arg);
}

#define stale_setup stale_number
#define stale_variants retry_variants
#define stale_tasks look_tasks
TWIN_TASKS(look, { "reader", look });
TWIN(stale, "vma_lock/a stale number turns readers away",
     .check = mapped_check);

/* --- a new VMA -------------------------------------------------------------- */

/* It is detached, and nobody has locked it, whatever the mm's number is. */
static void take_new(void *arg)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	(void)arg;
	if (!vma)
		return;
	heddle_assert(vma->vm_lock_seq != mm->mm_lock_seq.sequence);
	heddle_assert(!mm_form()->lock->detached_flag || vma->detached);
	vm_area_free(vma);
}

static void new_mm(void)
{
	mm = mm_alloc();
}

#define fresh_setup new_mm
#define fresh_variants retry_variants
TWIN_TASKS(fresh, { "writer", take_new });
TWIN(fresh, "vma_lock/a new VMA");

/* --- detached ------------------------------------------------------------- */

static void detach(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	if (!broken())
		vma_start_write(a);
	mas_clear(mm, PAGE(2), PAGE(3)); /* as when VMAs are merged */
	vma_mark_detached(a);
	mm->map_count--;
	mmap_write_unlock(mm);
}

/* 6.4 keeps the VMA itself; that a reader may still be in there when it is
 * detached is what the write lock is for. */
static void read_a(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(2));

	(void)arg;
	if (!vma)
		return;
	heddle_assert(!broken() || vma == a);
	if (mm_form()->lock->detached_flag)
		heddle_assert(!vma->detached);
	vma_end_read(vma);
	heddle_mark("read lock granted");
}

static const char *const granted_goals[] = { "read lock granted", NULL };
static const struct heddle_variant detached_variants[] = {
	{ .name = "6.4", .data = &gen1 },
	{ .name = "6.4, not write-locked", .data = &gen1_broken,
	  .expect = { SHOWS(ASSERT), SHOWS(DATA_RACE),
		      SHOWS(DETACHED_READ_LOCK) } },
	{ .name = "6.14", .data = &gen2 },
	{ .name = "6.15", .data = &gen3 },
	{ .name = NULL },
};
#define detached_setup two_vmas
TWIN_TASKS(detached, { "writer", detach }, { "reader", read_a });
TWIN(detached, "vma_lock/detached", .goals = granted_goals);

/* --- readers under mmap_lock ---------------------------------------------- */

/* Two VMAs at once: the second of one class needs a subclass where the lock is a
 * semaphore, and none where it is a count. */
static void read_two(void *arg)
{
	(void)arg;
	mmap_read_lock(mm);
	if (vma_start_read_locked(a)) {
		if (vma_start_read_locked_nested(
			    b, broken() ? 0 : SINGLE_DEPTH_NESTING)) {
			heddle_assert(b->vm_pgoff == 3);
			heddle_mark("read lock granted");
			vma_end_read(b);
		}
		vma_end_read(a);
	}
	mmap_read_unlock(mm);
}

static void write_b(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(b);
	b->vm_pgoff = 7;
	b->vm_pgoff = 3;
	mmap_write_unlock(mm);
}

static const struct heddle_variant two_variants[] = {
	{ .name = "6.4", .data = &gen1 },
	{ .name = "6.4, no subclass", .data = &gen1_broken,
	  .expect = { SHOWS(RECURSIVE) } },
	{ .name = "6.15", .data = &gen3 },
	{ .name = "6.15, no subclass", .data = &gen3_broken },
	{ .name = NULL },
};
#define two_setup two_vmas
TWIN_TASKS(two, { "writer", write_b }, { "reader", read_two });
TWIN(two, "vma_lock/two VMAs under mmap_lock", .goals = granted_goals);

static void read_bare(void *arg)
{
	(void)arg;
	if (!broken())
		mmap_read_lock(mm);
	if (vma_start_read_locked(a))
		vma_end_read(a);
	if (!broken())
		mmap_read_unlock(mm);
}

#define bare_setup two_vmas
TWIN_TASKS(bare, { "reader", read_bare });
GENERATIONS(bare, SHOWS(LOCK_ASSERT));
TWIN(bare, "vma_lock/start_read_locked wants mmap_lock");

/* --- a writer that is killed ------------------------------------------------ */

#define KILLABLE .lock = &vma_lock_7_0, .lock_offset = 0x40000000
static const struct test killable = { .form = { KILLABLE } };
static const struct test kept_out = {
	.form = { KILLABLE, .without = MM_STEP_LET_READERS_IN }
};
static const struct test early_mark = {
	.form = { KILLABLE, .without = MM_STEP_SEQ_BEHIND_WAIT }
};

/* Then it is not locked, and readers come in again; else it is as ever. */
static void write_killably(void *arg)
{
	struct vm_area_struct *vma;
	int err;

	(void)arg;
	mmap_write_lock(mm);
	err = vma_start_write_killable(a);
	if (!err)
		vma_assert_write_locked(a);
	else
		heddle_assert(err == -EINTR && a->vm_lock_seq !=
						   mm->mm_lock_seq.sequence);
	mmap_write_unlock(mm);
	vma = lock_vma_under_rcu(mm, PAGE(2));
	heddle_assert(vma);
	if (vma)
		vma_end_read(vma);
}

static const char *const killed_goals[] = { "killed while it waits",
					    "read lock granted", NULL };
#define killed_setup two_vmas
TWIN_TASKS(killed, { "writer", write_killably }, { "reader", read_a });
static const struct heddle_variant killed_variants[] = {
	{ .name = "7.0", .data = &killable },
	{ .name = "6.15: never", .data = &gen3, .goals = granted_goals },
	{ .name = "readers are kept out", .data = &kept_out,
	  .expect = { SHOWS(ASSERT) } },
	{ .name = "marked before the wait", .data = &early_mark,
	  .expect = { SHOWS(ASSERT), SHOWS(EXCLUSION), SHOWS(DATA_RACE) } },
	{ .name = NULL },
};
TWIN(killed, "vma_lock/a writer that is killed", .goals = killed_goals);

/* --- the next VMA ------------------------------------------------------------ */

/* Whoever looks from an address on finds each VMA, also when he has to look under
 * mmap_lock because a writer was there. */
static void walk(void *arg)
{
	struct vm_area_struct *vma;
	unsigned long from = 0;
	u32 n = 0;

	(void)arg;
	rcu_read_lock();
	while ((vma = lock_next_vma(mm, from))) {
		heddle_assert(vma == (n ? b : a) && vma->vm_start >= from);
		from = vma->vm_end;
		vma_end_read(vma);
		n++;
	}
	rcu_read_unlock();
	heddle_assert(n == 2);
}

static const char *const walk_goals[] = { "next VMA without mmap_lock",
					  "next VMA under mmap_lock", NULL };
static const struct test walk_6_17 = { .form = { .lock = &vma_lock_6_17,
						 .lock_offset = 0x40000000 } };
#define walk_setup two_vmas
TWIN_TASKS(walk, { "writer", hold_and_go }, { "walk", walk });
static const struct heddle_variant walk_variants[] = {
	{ .name = "6.17", .data = &walk_6_17, .signals = TWIN_NONE },
	{ .name = NULL },
};
TWIN(walk, "vma_lock/the next VMA", .goals = walk_goals);

/* --- what writers may assert ---------------------------------------------- */

static void assert_locked(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	if (!broken())
		vma_start_write(a);
	vma_assert_write_locked(a);
	mmap_write_unlock(mm);
}

#define asserts_setup two_vmas
TWIN_TASKS(asserts, { "writer", assert_locked });
GENERATIONS(asserts, SHOWS(LOCK_ASSERT));
TWIN(asserts, "vma_lock/vma_assert_write_locked");

/* --- unlocked-write ------------------------------------------------------- */

static const struct vm_operations_struct ops;

#define SET(f, field, value) \
	static void set_##f(struct vm_area_struct *v) { v->field = value; }
SET(start, vm_start, PAGE(2))
SET(end, vm_end, PAGE(3))
SET(pgoff, vm_pgoff, 3)
SET(flags, vm_flags, RO)
SET(ops, vm_ops, &ops)
SET(file, vm_file, NULL)
SET(policy, vm_policy, NULL)
SET(ctx, vm_userfaultfd_ctx.ctx, NULL)
SET(anon_vma, anon_vma, NULL)
SET(private, vm_private_data, v) /* not what readers rely on */

/* Locked, or not; and once more while nobody sees it, which is fine. */
static void write_field(void *arg)
{
	struct vm_area_struct *fresh = vm_area_dup(a);

	(void)arg;
	heddle_assert(fresh);
	test()->write(fresh);
	mmap_write_lock(mm);
	if (!broken())
		vma_start_write(a);
	test()->write(a);
	mmap_write_unlock(mm);
	vm_area_free(fresh);
}

#define FIELD(f)                                                        \
	static const struct test f##_locked = { .form = { V10 },        \
						.write = set_##f };     \
	static const struct test f##_bare = { .form = { V10 },          \
					      .write = set_##f, .broken = true }
FIELD(start);
FIELD(end);
FIELD(pgoff);
FIELD(flags);
FIELD(ops);
FIELD(file);
FIELD(policy);
FIELD(ctx);
FIELD(anon_vma);
static const struct test private_bare = { .form = { V10 },
					  .write = set_private, .broken = true };
static const struct test bare_6_2 = { .form = { .lock = NULL },
				      .write = set_flags, .broken = true };
#define BOTH(f)                                                         \
	{ .name = #f, .data = &f##_locked, .fail = TWIN_NONE },         \
	{ .name = #f ", not locked", .data = &f##_bare, .fail = TWIN_NONE, \
	  .expect = { SHOWS(UNLOCKED_WRITE) } }

#define field_setup two_vmas
TWIN_TASKS(field, { "writer", write_field });
static const struct heddle_variant field_variants[] = {
	BOTH(start), BOTH(end), BOTH(pgoff), BOTH(flags), BOTH(ops),
	BOTH(file), BOTH(policy), BOTH(ctx), BOTH(anon_vma),
	{ .name = "another field", .data = &private_bare, .fail = TWIN_NONE },
	{ .name = "before 6.4", .data = &bare_6_2, .fail = TWIN_NONE },
	{ .name = NULL },
};
TWIN(field, "vma_lock/unlocked-write");

/* A fault may give a VMA its anon_vma, nobody else may, nor take it away. */
static void prepare(void *arg)
{
	(void)arg;
	if (!broken()) {
		mmap_read_lock(mm);
		heddle_assert(!anon_vma_prepare(a));
		mmap_read_unlock(mm);
		return;
	}
	mmap_write_lock(mm);
	WRITE_ONCE(a->anon_vma, (struct anon_vma *)&ops);
	WRITE_ONCE(a->anon_vma, NULL);
	mmap_write_unlock(mm);
}

static const struct heddle_variant anon_variants[] = {
	{ .name = "by a fault", .data = &gen3, .fail = TWIN_NONE },
	{ .name = "by a writer", .data = &gen3_broken, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE) } },
	{ .name = NULL },
};
#define anon_setup two_vmas
TWIN_TASKS(anon, { "task", prepare });
TWIN(anon, "vma_lock/unlocked-write, anon_vma");

/* A new VMA is locked before it can be found. */
static void attach(void *arg)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	(void)arg;
	mmap_write_lock(mm);
	vma->vm_start = PAGE(8);
	vma->vm_end = PAGE(9);
	if (!broken())
		vma_start_write(vma);
	vma_mark_attached(vma);
	mas_store(mm, vma);
	mm->map_count++;
	mmap_write_unlock(mm);
}

#define attach_setup two_vmas
TWIN_TASKS(attach, { "writer", attach });
static const struct heddle_variant attach_variants[] = {
	{ .name = "locked", .data = &gen3, .fail = TWIN_NONE },
	{ .name = "not locked", .data = &gen3_broken, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE) } },
	{ .name = "not locked, 6.4", .data = &gen1_broken, .fail = TWIN_NONE,
	  .expect = { SHOWS(UNLOCKED_WRITE) } },
	{ .name = NULL },
};
TWIN(attach, "vma_lock/unlocked-write, a new VMA");

/* --- lost-write-lock ------------------------------------------------------ */

/* All locks of the mm end with one call; then the other VMA's field changes. */
static void end_and_write(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	vma_start_write(b);
	if (broken())
		vma_end_write_all(mm);
	b->vm_flags = RO;
	if (broken() && !mm_form()->lock->seq_at_unlock)
		do_raw_write_seqcount_begin(&mm->mm_lock_seq);
	mmap_write_unlock(mm);
}

static void peek(void *arg)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, PAGE(3));

	(void)arg;
	if (vma)
		vma_end_read(vma);
}

/* Write-locked anew it is not lost. */
static void end_and_lock_again(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	vma_start_write(a);
	vma_end_write_all(mm);
	heddle_assert(a->vm_lock_seq != mm->mm_lock_seq.sequence);
	vma_start_write(a);
	a->vm_flags = RO;
	mmap_write_unlock(mm);
}

#define lost_setup two_vmas
TWIN_TASKS(lost, { "writer", end_and_write }, { "reader", peek });
static const struct heddle_variant lost_variants[] = {
	{ .name = "6.4", .data = &gen1 },
	{ .name = "6.4, ended early", .data = &gen1_broken,
	  .expect = { SHOWS(LOST_WRITE_LOCK) } },
	{ .name = NULL },
};
TWIN(lost, "vma_lock/lost-write-lock");

#define again_setup two_vmas
TWIN_TASKS(again, { "writer", end_and_lock_again }, { "reader", peek });
static const struct heddle_variant again_variants[] = {
	{ .name = "6.4", .data = &gen1 }, { .name = NULL },
};
TWIN(again, "vma_lock/locked again after the end of all");

/* --- the sequence, and how a write section ends ------------------------------- */

static const char is_odd[] = "is odd while locked";
static const char moves_on[] = "moves on";
static const char comes_first[] = "ends before mmap_lock";

/* Broken: the sequence is a step behind, stays where it is, or comes too late. */
static void section(void *arg)
{
	const char *rule = test()->form.more;

	(void)arg;
	mmap_write_lock(mm);
	if (broken() && rule == is_odd)
		mm->mm_lock_seq.sequence--;
	vma_start_write(a);
	if (broken() && rule == moves_on)
		mm->mm_lock_seq.sequence--;
	if (broken() && rule == comes_first)
		up_write(&mm->mmap_lock);
	else
		mmap_write_unlock(mm);
}

GENERATION(odd, GEN2, .more = is_odd);
GENERATION(odd3, V10, .more = is_odd);
GENERATION(moves, GEN1, .more = moves_on);
GENERATION(first, GEN1, .more = comes_first);
#define RULE(id)                                                       \
	{ .name = #id, .data = &id },                                  \
	{ .name = #id ", broken", .data = &id##_broken, .goals = any,  \
	  .expect = { SHOWS(ASSERT) } }
static const struct heddle_variant section_variants[] = {
	RULE(odd), RULE(odd3), RULE(moves), RULE(first), { .name = NULL },
};
#define section_setup two_vmas
TWIN_TASKS(section, { "writer", section });
TWIN(section, "vma_lock/a write section");
