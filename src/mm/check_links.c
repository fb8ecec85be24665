/* SPDX-License-Identifier: MIT */
/* Links from files, anon_vmas and policies to VMAs and back, at the end of a run:
 * are there as many as there should be, and as many as are counted?  And mms: the
 * users of one have a single reference to it among them, and nobody else has one.
 *
 * rmap       a VMA of a tree is in the lists of its anon_vmas and of its file;
 *            what these list is a VMA of a tree, once
 * leak       more references are counted than links
 * refcount   fewer
 *
 * A reference that a task holds at the end of the run has been lost, so that one
 * is not allowed for; a file has one that is nobody's, of who opened it. */
#include <heddle/mempolicy.h>
#include <heddle/mm.h>
#include <string.h>

#include "../engine/engine.h"
#include "check.h"

static void raise(u8 kind, const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}

static void judge_count(int count, int links, const struct hd_object *o)
{
	if (count > links)
		raise(HD_V_LEAK, o->type, o->alloc_pc);
	if (count < links)
		raise(HD_V_REFCOUNT, o->type, o->alloc_pc);
}

/* Calls fn for the VMAs of all trees; the sum of what it says. */
static int sum(int (*fn)(const struct vm_area_struct *vma, const void *arg),
	       const void *arg)
{
	const struct maple_node *node;
	const struct mm_struct *mm;
	int n = 0;
	u32 i, k;

	for (i = 0; (mm = check_mm(i)); i++) {
		node = check_alive(mm) ? mm->mm_mt.root : NULL;
		for (k = 0; node && k < node->nslots; k++)
			if (node->slot[k].vma)
				n += fn(node->slot[k].vma, arg);
	}
	return n;
}

static int listed(struct vm_area_struct *const *list,
		  const struct vm_area_struct *vma)
{
	int n = 0;
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS; i++)
		n += list[i] == vma;
	return n;
}

/* A list has only VMAs of trees, each once; how many. */
static int judge_list(struct vm_area_struct *const *list, const char *what,
		      u32 pc)
{
	int n = 0;
	u32 i;

	for (i = 0; i < MM_RMAP_VMAS; i++) {
		if (!list[i])
			continue;
		n++;
		if (!check_in_a_tree(list[i]) || listed(list, list[i]) > 1)
			raise(HD_V_RMAP, what, pc);
	}
	return n;
}

/* --- anon_vmas ---------------------------------------------------------------- */

static int has_avc(const struct vm_area_struct *vma, const void *av)
{
	int n = 0;
	u32 i;

	for (i = 0; i < MM_AVCS; i++)
		n += vma->avc[i] == av;
	return n;
}

static int is_its_anon_vma(const struct vm_area_struct *vma, const void *av)
{
	return vma->anon_vma == av && !has_avc(vma, av);
}

static void judge_anon_vma(const struct hd_object *o)
{
	const struct anon_vma *av = (const void *)(o + 1);
	int links = judge_list(av->vma, "VMA of an anon_vma", o->alloc_pc);

	if (!links)
		raise(HD_V_LEAK, o->type, o->alloc_pc);
	else
		judge_count(av->refcount.refs.counter, links, o);
	if (links != sum(has_avc, av) || sum(is_its_anon_vma, av))
		raise(HD_V_RMAP, "anon_vma of a VMA", o->alloc_pc);
}

/* --- files and policies ---------------------------------------------------------- */

static int has_file(const struct vm_area_struct *vma, const void *file)
{
	return vma->vm_file == file;
}

static void judge_file(const struct hd_object *o)
{
	const struct file *file = (const void *)(o + 1);
	int vmas = sum(has_file, file);
	int links;

	if (!file->f_mapping)
		return;
	links = judge_list(file->f_mapping->i_mmap, "VMA of a file",
			   o->alloc_pc);
	judge_count(file->f_count.refs.counter, vmas + 1, o);
	if (links != vmas)
		raise(HD_V_RMAP, "file of a VMA", o->alloc_pc);
}

static int has_policy(const struct vm_area_struct *vma, const void *pol)
{
	return vma->vm_policy == pol;
}

static void judge_policy(const struct hd_object *o)
{
	const struct mempolicy *pol = (const void *)(o + 1);
	int links = sum(has_policy, pol);

	if (!links) /* whatever is counted, it should be gone */
		raise(HD_V_LEAK, o->type, o->alloc_pc);
	else
		judge_count(pol->refcnt.counter, links, o);
}

static void judge_mm(const struct hd_object *o)
{
	const struct mm_struct *mm = (const void *)(o + 1);

	/* without users it may be what a set-up keeps, to look at it */
	if (mm->mm_mt.root && mm->mm_users.counter > 0)
		judge_count(mm->mm_count.counter, 1, o);
}

void check_links(const struct hd_object *o)
{
	if (!strcmp(o->type, "anon_vma") && mm_has(MM_ANON))
		judge_anon_vma(o);
	else if (!strcmp(o->type, "mm_struct"))
		judge_mm(o);
	else if (!strcmp(o->type, "file") && mm_has(MM_FILE))
		judge_file(o);
	else if (!strcmp(o->type, "mempolicy") && mm_has(MM_POLICY))
		judge_policy(o);
}
