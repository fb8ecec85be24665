/* SPDX-License-Identifier: MIT */
/* lock-assert: which lock must be held to store to an address space?
 *
 *   map_count, mm_mt   mmap_lock for write; a stack that grew up to 6.4 had it for
 *                      read, and page_table_lock
 *   mm_lock_seq        mmap_lock for write
 *   pmd                page_table_lock; but to clear the entry of a table takes
 *                      none (free_pgtables), since nobody else may be there
 *   page_table.pte     its ptl, once others can see the table
 *
 * An address space without users (exit_mmap) is nobody's business.  These are
 * watched by their stores, not by notes, so that code that is pasted is judged
 * as well. */
#include <heddle/mm.h>
#include <stddef.h>

#include "../engine/engine.h"
#include "check.h"

static bool watching; /* set in the set-up of each loaded variant */

static void raise(const void *obj, const char *type, const char *lock,
		  const struct hd_event *ev)
{
	struct hd_verdict v = { .kind = HD_V_LOCK_ASSERT, .pc = ev->op.pc,
				.type = type, .nnames = 1, .names = { lock },
				.off = (u32)(ev->op.addr - (u64)obj) };

	hd_raise(v);
}

static bool grows_a_stack(const struct mm_struct *mm)
{
	return mm_form()->stack && mm_form()->stack != MM_STACK_6_5 &&
	       hd_lock_is_held(&mm->mmap_lock.dep_map, 1) &&
	       hd_lock_is_held(&mm->page_table_lock.dep_map, -1);
}

static void judge_tree(const struct mm_struct *mm, const struct hd_event *ev)
{
	if (!hd_lock_is_held(&mm->mmap_lock.dep_map, 0) && !grows_a_stack(mm))
		raise(mm, "mm_struct", mm->mmap_lock.dep_map.name, ev);
}

static void judge_seq(const struct mm_struct *mm, const struct hd_event *ev)
{
	if (!hd_lock_is_held(&mm->mmap_lock.dep_map, 0))
		raise(mm, "mm_struct", mm->mmap_lock.dep_map.name, ev);
}

static void judge_pmd(const struct mm_struct *mm, const struct hd_event *ev)
{
	if (!ev->val && !(ev->old & _PAGE_PSE))
		return;
	if (!hd_lock_is_held(&mm->page_table_lock.dep_map, -1))
		raise(mm, "mm_struct", mm->page_table_lock.dep_map.name, ev);
}

static void judge_pte(const struct page_table *table, const struct hd_event *ev)
{
	if (!hd_lock_is_held(&table->ptl.dep_map, -1))
		raise(table, "page_table", table->ptl.dep_map.name, ev);
}

static void judge_tables(const struct mm_struct *mm, const struct hd_event *ev)
{
	const struct page_table *table;
	u32 i;

	for (i = 0; i < PTRS_PER_PMD; i++) {
		table = (const struct page_table *)mm->pmd[i];
		if (table && !(mm->pmd[i] & _PAGE_PSE) &&
		    ev->op.addr - (u64)table->pte < sizeof(table->pte))
			judge_pte(table, ev);
	}
}

static void on_store(const struct hd_event *ev)
{
	const struct mm_struct *mm;
	u64 off;
	u32 i;

	if (!hd_in_heap(ev->op.addr) || !W->running)
		return;
	for (i = 0; (mm = check_mm(i)); i++) {
		if (!mm->mm_users.counter)
			continue;
		off = ev->op.addr - (u64)mm;
		if (off == offsetof(struct mm_struct, map_count) ||
		    off == offsetof(struct mm_struct, mm_mt.root))
			judge_tree(mm, ev);
		else if (off == offsetof(struct mm_struct, mm_lock_seq.sequence))
			judge_seq(mm, ev);
		else if (off - offsetof(struct mm_struct, pmd) <
			 sizeof(mm->pmd))
			judge_pmd(mm, ev);
		else if (off >= sizeof(*mm))
			judge_tables(mm, ev);
	}
}

static void on_note(const struct hd_event *ev)
{
	if (ev->op.code != MM_NOTE_NEW || watching)
		return;
	watching = true;
	hd_subscribe(HD_STORE, on_store);
}

void check_mm_start(void)
{
	watching = false;
	hd_subscribe(HD_EV_NOTE, on_note);
}
