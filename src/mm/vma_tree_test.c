/* SPDX-License-Identifier: MIT */
/* Which VMA do the walks of the tree find at its first byte and at its last?
 *
 * Covers vma_tree.c. */
#include <heddle/mm.h>

#include "twins.h"

static void two_areas(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, PAGE(2), PAGE(4));
	mm_add_vma(mm, PAGE(5), PAGE(6));
}

static const struct mm_form form = { V10 };

static void look(void *arg)
{
	struct vm_area_struct *a = at(2), *b = at(5);
	unsigned long last_a = PAGE(4) - 1, last_b = PAGE(6) - 1;

	(void)arg;
	mmap_read_lock(mm);
	heddle_assert(!vma_lookup(mm, PAGE(2) - 1));
	heddle_assert(vma_lookup(mm, PAGE(2)) == a);
	heddle_assert(vma_lookup(mm, last_a) == a);
	heddle_assert(!vma_lookup(mm, PAGE(4)) && !vma_lookup(mm, PAGE(6)));
	heddle_assert(find_vma(mm, 0) == a && find_vma(mm, last_a) == a);
	heddle_assert(find_vma(mm, PAGE(4)) == b && find_vma(mm, last_b) == b);
	heddle_assert(!find_vma(mm, PAGE(6)));
	heddle_assert(vma_next(mm, 0) == a && vma_next(mm, PAGE(2) - 1) == a);
	heddle_assert(vma_next(mm, PAGE(2)) == b && vma_next(mm, last_a) == b);
	heddle_assert(!vma_next(mm, PAGE(5)));
	heddle_assert(!vma_prev(mm, last_a) && vma_prev(mm, PAGE(4)) == a);
	heddle_assert(vma_prev(mm, last_b) == a && vma_prev(mm, PAGE(6)) == b);
	mmap_read_unlock(mm);
}

#define look_setup two_areas
TWIN_TASKS(look, { "look", look });
SAFE_FORM(look, form);
TWIN(look, "vma_tree/first and last bytes");
