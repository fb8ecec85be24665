/* SPDX-License-Identifier: MIT */
/* What is left at the end: which memory did nobody free and who knew of it last,
 * and who took the references that nobody put? */
#include <string.h>

#include "report_lifetime.h"

enum { MAX_LINES = 40, MAX_OBJECTS = 3 };

/* --- never freed --------------------------------------------------------- */

static bool is_pointer_store(const struct hd_event *ev)
{
	return (ev->op.kind == HD_STORE || ev->op.kind == HD_RMW) &&
	       ev->op.size == 8 && ev->old != ev->val;
}

/* The place that was last made to point at the object. */
static void print_last_pointer(const struct story *s, struct page *p, u64 addr)
{
	char name[80], what[160];
	u32 i, j;

	for (i = s->n; i-- > 0;)
		if (is_pointer_store(&s->log[i].ev) &&
		    s->log[i].ev.val == addr)
			break;
	if (i == UINT32_MAX)
		return;
	object_text(&s->log[i], name, sizeof(name));
	snprintf(what, sizeof(what), "last pointer to it: %s, by %s", name,
		 story_task(s, s->log[i].ev.task));
	life_print_at(p, 2, what, &s->log[i]);
	for (j = i + 1; j < s->n; j++)
		if (is_pointer_store(&s->log[j].ev) &&
		    s->log[j].ev.op.addr == s->log[i].ev.op.addr)
			break;
	if (j == s->n)
		return;
	snprintf(what, sizeof(what), "overwritten by %s",
		 story_task(s, s->log[j].ev.task));
	life_print_at(p, 4, what, &s->log[j]);
}

static void print_leaked(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	u64 at = HD_HEAP_BASE + HD_GRANULE;
	u32 n = 0;

	for (; at < HD_HEAP_BASE + W->heap_used; at = life_next(at)) {
		const struct hd_object *o = (const struct hd_object *)at;

		if (o->state != HD_OBJ_LIVE || o->setup ||
		    strcmp(o->type, v->names[0]) || n++ == MAX_OBJECTS)
			continue;
		page_line(p, "%s", "");
		page_line(p, "never freed: %s#%u (size %u)", o->type,
			  o->instance, o->size);
		print_last_pointer(s, p, at + sizeof(*o));
		life_print_allocation(s, p, o, s->n);
	}
}

/* --- references that are left -------------------------------------------- */

static int counter_at(const struct hd_object *o, u32 off)
{
	return *(const int *)((u64)(o + 1) + off);
}

/* Among the objects of the type, one with a reference left if there is one:
 * first of those that the run allocated. */
static const struct hd_object *with_counter(const struct hd_verdict *v)
{
	const struct hd_object *best = NULL;
	u64 at = HD_HEAP_BASE + HD_GRANULE;

	for (; at < HD_HEAP_BASE + W->heap_used; at = life_next(at)) {
		const struct hd_object *o = (const struct hd_object *)at;

		if (strcmp(o->type, v->type) || v->off + 4 > o->size ||
		    o->state != HD_OBJ_LIVE)
			continue;
		if (!best || (counter_at(o, v->off) > 0 &&
			      (best->setup > o->setup ||
			       counter_at(best, v->off) <= 0)))
			best = o;
	}
	return best;
}

static void print_balance(const struct story *s, struct page *p, u64 addr,
			  u32 from)
{
	u32 i, t;

	for (t = 0; t < s->ntasks; t++) {
		long up = 0, down = 0;

		for (i = from; i < s->n; i++) {
			const struct hd_event *ev = &s->log[i].ev;
			long by = (int)ev->val - (int)ev->old;

			if (ev->task != t || ev->op.kind != HD_RMW ||
			    ev->op.addr != addr)
				continue;
			up += by > 0 ? by : 0;
			down -= by < 0 ? by : 0;
		}
		if (up || down)
			page_line(p, "  %s got %ld and put %ld",
				  story_task(s, t), up, down);
	}
}

static void print_references(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);
	const struct hd_object *o = v->type ? with_counter(v) : NULL;
	char name[160], field[72], what[200];
	struct statement st;
	u32 i, from, n = 0;
	u64 addr;

	if (!o)
		return;
	addr = (u64)(o + 1) + v->off;
	from = life_last_on(s, HD_EV_ALLOC, (u64)(o + 1), s->n);
	from = from < s->n ? from : 0;
	if (sym_field(o->type, v->off, field, sizeof(field)))
		snprintf(name, sizeof(name), "%s of %s#%u", field, o->type,
			 o->instance);
	else
		snprintf(name, sizeof(name), "%s#%u+%u", o->type, o->instance,
			 v->off);
	page_line(p, "%s", "");
	page_line(p, "%s is %d at the end; its gets and puts:", name,
		  counter_at(o, v->off));
	for (i = from; i < s->n && n < MAX_LINES; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->op.addr != addr || ev->old == ev->val ||
		    (ev->op.kind != HD_RMW && ev->op.kind != HD_STORE))
			continue;
		n++;
		statement_make(&s->log[i], &st);
		snprintf(what, sizeof(what), "%s: %s %s",
			 story_task(s, ev->task), st.verb, st.values);
		life_print_at(p, 2, what, &s->log[i]);
	}
	print_balance(s, p, addr, from);
	life_print_allocation(s, p, o, s->n);
}

void report_left(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);

	if (v->kind == HD_V_LEAK)
		print_leaked(s, p);
	else if (v->kind == HD_V_REFCOUNT_LEAK ||
		 (v->kind == HD_V_REFCOUNT && v->task >= s->ntasks))
		print_references(s, p);
}

/* Gets and puts tell when the last reference went, though no other task may
 * conflict with them: of the verdict's counter, or of the object freed. */
bool lifetime_shows(const struct story *s, u32 i)
{
	const struct hd_verdict *v = story_verdict(s);
	const struct hd_record *rec = &s->log[i];
	const struct hd_object *o = life_object(rec->ev.op.addr);
	u32 k;

	if (!v || !o || rec->ev.op.kind != HD_RMW ||
	    rec->ev.old == rec->ev.val)
		return false;
	if (v->kind == HD_V_REFCOUNT_LEAK)
		return v->type && !strcmp(v->type, o->type) &&
		       v->off == rec->type_off;
	if (s->last >= s->n || life_object(s->log[s->last].ev.op.addr) != o ||
	    (v->kind != HD_V_FREED && v->kind != HD_V_USE_AFTER_FREE &&
	     v->kind != HD_V_DOUBLE_FREE))
		return false;
	for (k = 0; k < HD_OBJ_REFS && o->refs[k]; k++)
		if (o->refs[k] == rec->type_off + 1)
			return true;
	return false;
}
