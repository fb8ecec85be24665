/* SPDX-License-Identifier: MIT */
/* What became of the object: who allocated and freed it, which grace period was
 * in between, and which of its lives is this?  What nobody freed:
 * report_left.c.
 *
 * In the order and with the words of the kernel's KASAN report, because its
 * readers know where to look in it.  Everything is taken from the recorded run:
 * a line that is not true of it is not printed. */
#include <string.h>

#include "report_lifetime.h"

enum { MAX_STACK = 24, MAX_OBJECTS = 3 };

/* --- the log ------------------------------------------------------------- */

u32 life_last_on(const struct story *s, u8 kind, u64 addr, u32 i)
{
	while (i-- > 0)
		if (s->log[i].ev.op.kind == kind &&
		    s->log[i].ev.op.addr == addr)
			return i;
	return s->n;
}

static u32 last_of(const struct story *s, u8 kind, u32 task, u32 i)
{
	while (i-- > 0)
		if (s->log[i].ev.op.kind == kind && s->log[i].ev.task == task)
			return i;
	return s->n;
}

const struct hd_object *life_object(u64 addr)
{
	if (!hd_in_heap(addr) || addr >= HD_HEAP_BASE + W->heap_used)
		return NULL;
	return hd_object_at(addr);
}

u64 life_next(u64 at)
{
	const struct hd_object *o = (const struct hd_object *)at;

	return at + sizeof(*o) +
	       ((o->size + HD_GRANULE - 1) & ~(u64)(HD_GRANULE - 1));
}

/* What an access beside objects missed: the nearer of its neighbours. */
static const struct hd_object *nearest(u64 addr)
{
	const struct hd_object *o = life_object(addr), *before = NULL;
	u64 at = HD_HEAP_BASE + HD_GRANULE, to_left, to_right;

	if (!hd_in_heap(addr) || (o && addr >= (u64)(o + 1)))
		return o;
	for (; at < HD_HEAP_BASE + W->heap_used; at = life_next(at))
		if (at < addr && at != (u64)o)
			before = (const struct hd_object *)at;
	if (!before)
		return o;
	to_right = addr - (u64)(before + 1) - before->size;
	to_left = o ? (u64)(o + 1) - addr : 64;
	return to_right < to_left ? before : o;
}

const char *life_who(const struct story *s, u32 task, char *buf, size_t size)
{
	if (task < s->ntasks)
		snprintf(buf, size, "task %s", story_task(s, task));
	else
		snprintf(buf, size, "the end check");
	return buf;
}

void life_print_at(struct page *p, u32 indent, const char *what,
		   const struct hd_record *rec)
{
	struct sym_site site[1];
	char text[200];

	if (!statement_stack(rec, site, 1)) {
		page_line(p, "%*s%s", (int)indent, "", what);
		return;
	}
	snprintf(text, sizeof(text), "%.120s in %s", what, site[0].function);
	page_place(p, indent, text, &site[0]);
}

static bool print_stack(struct page *p, const struct hd_record *rec)
{
	struct sym_site site[MAX_STACK];
	u32 i, n = statement_stack(rec, site, MAX_STACK);

	for (i = 0; i < n; i++)
		page_place(p, 2, site[i].function, &site[i]);
	return n;
}

/* --- what was done ------------------------------------------------------- */

static void name_range(const struct hd_object *o, u64 addr, char *buf,
		       size_t size)
{
	long off = (long)(addr - (u64)(o + 1));
	char field[72];

	if (off >= 0 && off < (long)o->size &&
	    sym_field(o->type, (u32)off, field, sizeof(field)))
		snprintf(buf, size, "%s.%s (%s#%u+%ld)", o->type, field,
			 o->type, o->instance, off);
	else
		snprintf(buf, size, "%s#%u%+ld", o->type, o->instance, off);
}

static void print_free(const struct story *s, struct page *p,
		       const struct hd_object *o, const char *function)
{
	const struct hd_record *rec = &s->log[s->last];

	if (!o || rec->type_off) {
		page_wrap(p, 2, "BUG: KASAN: invalid-free in %s", function);
		if (o)
			page_wrap(p, 2, "Free of %s+%u, which is no begin of an "
				  "object, by task %s", rec->object,
				  rec->type_off, story_task(s, rec->ev.task));
		return;
	}
	page_wrap(p, 2, "BUG: KASAN: double-free in %s", function);
	page_wrap(p, 2, "Free of %s, %u bytes, by task %s", rec->object,
		  o->size, story_task(s, rec->ev.task));
}

static void print_distance(struct page *p, u64 n, const char *side,
			   const struct hd_object *o)
{
	page_wrap(p, 2, "The address is %llu byte%s to the %s of the %u-byte "
		  "object", (unsigned long long)n, n == 1 ? "" : "s", side,
		  o->size);
}

static void print_access(const struct story *s, struct page *p,
			 const struct hd_object *o, const char *function)
{
	const struct hd_record *rec = &s->log[s->last];
	const struct hd_op *op = &rec->ev.op;
	const char *what = op->flags & HD_WRITE ? "Write" : "Read";
	u64 end = o ? (u64)(o + 1) + o->size : 0;
	char range[160];

	if (!o) {
		page_wrap(p, 2, "BUG: KASAN: wild-memory-access in %s",
			  function);
		page_wrap(p, 2, "%s of size %u by task %s", what, op->size,
			  story_task(s, rec->ev.task));
		return;
	}
	page_wrap(p, 2, "BUG: KASAN: slab-%s in %s",
		  story_verdict(s)->kind == HD_V_USE_AFTER_FREE ?
			  "use-after-free" : "out-of-bounds", function);
	name_range(o, op->addr, range, sizeof(range));
	page_wrap(p, 2, "%s of size %u at %s by task %s", what, op->size, range,
		  story_task(s, rec->ev.task));
	if (op->addr >= end)
		print_distance(p, op->addr - end, "right", o);
	else if (op->addr < (u64)(o + 1))
		print_distance(p, (u64)(o + 1) - op->addr, "left", o);
}

static bool is_bad_access(const struct story *s)
{
	return s->last < s->n &&
	       s->log[s->last].ev.op.kind == HD_EV_BAD_ACCESS;
}

void report_bad_access(const struct story *s, struct page *p,
		       const char *function)
{
	const struct hd_verdict *v = story_verdict(s);
	const struct hd_object *o;

	if (!is_bad_access(s) || (v->kind != HD_V_USE_AFTER_FREE &&
				  v->kind != HD_V_DOUBLE_FREE &&
				  v->kind != HD_V_WILD_ACCESS))
		return;
	o = nearest(s->log[s->last].ev.op.addr);
	page_line(p, "%s", "");
	if (v->kind == HD_V_DOUBLE_FREE)
		print_free(s, p, o, function);
	else
		print_access(s, p, o, function);
}

/* --- allocated and freed ------------------------------------------------- */

static void print_life(struct page *p, const char *what, const char *by,
		       const struct hd_record *rec)
{
	page_line(p, "%s", "");
	page_line(p, "%s by %s:", what, by);
	if (!print_stack(p, rec))
		page_line(p, "  (no stack)");
}

void life_print_allocation(const struct story *s, struct page *p,
			     const struct hd_object *o, u32 i)
{
	u32 at = life_last_on(s, HD_EV_ALLOC, (u64)(o + 1), i);
	struct hd_record rec;
	char by[64];

	if (at < s->n) {
		life_who(s, s->log[at].ev.task, by, sizeof(by));
		print_life(p, "Allocated", by, &s->log[at]);
		return;
	}
	/* before the recording begins: the set-up, or on the way to a first op */
	if (o->alloc_task < s->ntasks)
		life_who(s, o->alloc_task, by, sizeof(by));
	else
		snprintf(by, sizeof(by), "the set-up");
	rec.nframes = hd_setup_frames(o, rec.frames);
	if (!rec.nframes && o->alloc_pc) {
		rec.nframes = 1;
		rec.frames[0] = o->alloc_pc;
	}
	if (rec.nframes)
		print_life(p, "Allocated", by, &rec);
}

/* --- grace periods ------------------------------------------------------- */

struct grace {
	u32 call; /* record of call_rcu() and the like; s->n: none */
	u32 end;  /* record at which the waiter went on */
	char name[48];
	bool sync;
};

/* The daemon runs callbacks in the order of their calls: of the k-th end of a
 * grace period, the k-th call, without those that the set-up queued. */
static u32 call_of(const struct story *s, u32 end)
{
	u64 word = s->log[end].ev.op.addr;
	u64 ends = 0, calls = 0, before = 0;
	bool first = true;
	u32 i;

	for (i = 0; i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->op.addr != word || (ev->op.kind != HD_RCU_CALL &&
					    ev->op.kind != HD_RCU_GP))
			continue;
		if (first)
			before = ev->old;
		first = false;
		ends += ev->op.kind == HD_RCU_GP && i <= end;
	}
	for (i = 0; i < end && ends > before; i++)
		if (s->log[i].ev.op.addr == word &&
		    s->log[i].ev.op.kind == HD_RCU_CALL &&
		    ++calls == ends - before)
			return i;
	return s->n;
}

/* The grace period that the free at record i waited for. */
static struct grace grace_before(const struct story *s, u32 i)
{
	struct grace g = { .call = s->n };
	struct statement st;
	u32 task = s->log[i].ev.task;

	g.end = last_of(s, HD_RCU_GP, task, i);
	if (g.end == s->n)
		return g;
	g.sync = task < s->nuser;
	g.call = g.sync ? life_last_on(s, HD_RCU_CALL, s->log[g.end].ev.op.addr,
				  g.end) : call_of(s, g.end);
	if (g.call < s->n) {
		statement_make(&s->log[g.call], &st);
		snprintf(g.name, sizeof(g.name), "%s", st.verb);
	}
	return g;
}

/* The record at which task entered the read section that it is in before
 * record i; s->n: it is in none.  left: where it left the last one. */
static u32 section_at(const struct story *s, u32 task, u32 i, u32 *left)
{
	u32 in = last_of(s, HD_RCU_LOCK, task, i);
	u32 out = last_of(s, HD_RCU_UNLOCK, task, i);

	*left = out;
	return in < s->n && (out == s->n || out < in) ? in : s->n;
}

static u32 next_unlock(const struct story *s, u32 task, u32 i)
{
	for (; i < s->last; i++)
		if (s->log[i].ev.task == task &&
		    s->log[i].ev.op.kind == HD_RCU_UNLOCK)
			return i;
	return s->n;
}

static void print_readers(const struct story *s, struct page *p, u32 at,
			  const char *none)
{
	u32 t, in, out, n = 0;
	char what[120];

	for (t = 0; t < s->ntasks; t++) {
		in = section_at(s, t, at, &out);
		if (in == s->n)
			continue;
		n++;
		snprintf(what, sizeof(what), "%s was inside: rcu_read_lock",
			 story_task(s, t));
		life_print_at(p, 2, what, &s->log[in]);
		out = next_unlock(s, t, at);
		if (out < s->n)
			life_print_at(p, 4, "left: rcu_read_unlock", &s->log[out]);
		else
			page_line(p, "    is still inside");
	}
	if (!n)
		page_line(p, "  %s", none);
}

/* Where did the user of the object stand in all this? */
static void print_user(const struct story *s, struct page *p,
		       const struct grace *g, u32 freed)
{
	const struct hd_record *use = &s->log[s->last];
	const char *me = story_task(s, use->ev.task);
	u32 out, in = section_at(s, use->ev.task, s->last, &out);
	char what[160];

	if (use->ev.task >= s->nuser)
		return;
	if (in < s->n) {
		page_wrap(p, 4, "  %s used it in a read section that began %s",
			  me, in > freed ? "after the free" :
			  g->call == s->n ? "before the free" :
			  "later: the grace period did not wait for it");
		life_print_at(p, 4, "rcu_read_lock", &s->log[in]);
	} else if (out < s->n) {
		u32 n = use->ev.n - s->log[out].ev.n;

		snprintf(what, sizeof(what), "%s used it %u op%s after its "
			 "rcu_read_unlock", me, n, n == 1 ? "" : "s");
		life_print_at(p, 2, what, &s->log[out]);
	} else {
		page_line(p, "  %s was never inside of a read section", me);
	}
}

static bool any_rcu(const struct story *s)
{
	u32 i;

	for (i = 0; i < s->last; i++)
		if (s->log[i].ev.op.kind == HD_RCU_LOCK ||
		    s->log[i].ev.op.kind == HD_RCU_CALL)
			return true;
	return false;
}

static void print_grace(const struct story *s, struct page *p, u32 freed)
{
	struct grace g = grace_before(s, freed);
	const struct hd_record *f = &s->log[freed];
	char what[160];

	if (g.call < s->n && !g.sync) {
		char by[64];

		page_line(p, "%s", "");
		page_wrap(p, 2, "Last potentially related work creation: %s by "
			  "%s:", g.name, life_who(s, s->log[g.call].ev.task, by,
					     sizeof(by)));
		print_stack(p, &s->log[g.call]);
	}
	if (!any_rcu(s))
		return;
	page_line(p, "%s", "");
	if (g.call < s->n) {
		snprintf(what, sizeof(what), "Grace period: begun by %s's %s",
			 story_task(s, s->log[g.call].ev.task), g.name);
		life_print_at(p, 0, what, &s->log[g.call]);
		print_readers(s, p, g.call, "no reader was inside");
		page_wrap(p, 4, "  over: %s %s and freed %s",
			  story_task(s, f->ev.task),
			  g.sync ? "went on" : "ran the callback", f->object);
	} else {
		page_line(p, "Grace period: the free waited for none");
		print_readers(s, p, freed, "no reader was inside");
	}
	if (story_verdict(s)->kind == HD_V_USE_AFTER_FREE)
		print_user(s, p, &g, freed);
}

/* What kfree_rcu() queued is freed by no code of the model: the place is that of
 * the call. */
static void print_freed(const struct story *s, struct page *p, u32 freed)
{
	const struct hd_record *rec = &s->log[freed];
	struct grace g = grace_before(s, freed);
	char by[64];

	life_who(s, rec->ev.task, by, sizeof(by));
	if (g.call < s->n && !g.sync &&
	    rec->ev.op.pc == s->log[g.call].ev.op.pc) {
		page_line(p, "%s", "");
		page_line(p, "Freed by %s, for %s()", by, g.name);
		return;
	}
	print_life(p, "Freed", by, rec);
}

static void print_object(const struct story *s, struct page *p)
{
	const struct hd_object *o = nearest(s->log[s->last].ev.op.addr);
	u32 freed;

	if (!o)
		return;
	freed = life_last_on(s, HD_FREE, (u64)(o + 1), s->last + 1);
	life_print_allocation(s, p, o, freed < s->n ? freed : s->last);
	if (o->state == HD_OBJ_LIVE || freed == s->n)
		return;
	if (freed != s->last)
		print_freed(s, p, freed);
	print_grace(s, p, freed);
}

/* --- lives --------------------------------------------------------------- */

/* A type-safe cache handed the object out again: tell its lives apart. */
static void print_lives_of(const struct story *s, struct page *p,
			   const struct hd_object *o)
{
	u64 addr = (u64)(o + 1);
	u32 i, life = 1;
	char what[120];

	for (i = 0; i < s->last && i < s->n; i++)
		life += s->log[i].ev.op.kind == HD_EV_ALLOC &&
			s->log[i].ev.op.addr == addr;
	/* lives that began in the set-up are not in the log */
	life = o->reused + 1u >= life ? o->reused + 2u - life : 1;
	page_line(p, "%s", "");
	page_line(p, "%s#%u was reused (SLAB_TYPESAFE_BY_RCU)", o->type,
		  o->instance);
	for (i = 0; i < s->last && i < s->n; i++) {
		const struct hd_record *r = &s->log[i];
		bool alloc = r->ev.op.kind == HD_EV_ALLOC;

		if (r->ev.op.addr != addr ||
		    (!alloc && r->ev.op.kind != HD_FREE))
			continue;
		life += alloc;
		snprintf(what, sizeof(what), "life %u: %s by %s", life,
			 alloc ? "allocated" : "freed",
			 story_task(s, r->ev.task));
		life_print_at(p, 2, what, r);
	}
}

static bool is_shown(const struct story *s, const struct hd_object *o)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if ((s->flag[i] & REC_SHOWN || i == s->last) &&
		    life_object(s->log[i].ev.op.addr) == o)
			return true;
	return false;
}

static void print_lives(const struct story *s, struct page *p)
{
	u64 at = HD_HEAP_BASE + HD_GRANULE;
	u32 n = 0;

	for (; at < HD_HEAP_BASE + W->heap_used; at = life_next(at)) {
		const struct hd_object *o = (const struct hd_object *)at;

		if (o->reused && n < MAX_OBJECTS && is_shown(s, o)) {
			print_lives_of(s, p, o);
			n++;
		}
	}
}

void report_lifetime(const struct story *s, struct page *p)
{
	const struct hd_verdict *v = story_verdict(s);

	/* a lock that is initialised while it is held is no object's end */
	if (is_bad_access(s) || (v->kind == HD_V_FREED && s->last < s->n &&
				 s->log[s->last].ev.op.kind == HD_FREE))
		print_object(s, p);
	else
		report_left(s, p);
	print_lives(s, p);
}
