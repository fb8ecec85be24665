/* SPDX-License-Identifier: MIT */
/* What happened in this run, and what of it matters for one verdict?
 *
 * The schedule is run once with recording.  An op matters when an op of
 * another task conflicts with it up to the verdict, when the model remarked on
 * it, or when it takes or gives a lock that the verdict names.  Everything
 * else is private to its task and is left out, unless all is wanted. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/hash.h"
#include "search.h"

bool report_all;

/* --- verdicts ------------------------------------------------------------ */

bool verdict_of_lockdep(u8 kind)
{
	return (kind >= HD_V_CIRCULAR && kind <= HD_V_LOCK_ASSERT) ||
	       (kind >= HD_V_NEST_NOT_HELD && kind <= HD_V_BAD_SUBCLASS) ||
	       kind == HD_V_NO_KEY || kind == HD_V_DEADLOCK;
}

bool verdict_of_lifetime(u8 kind)
{
	return kind == HD_V_USE_AFTER_FREE || kind == HD_V_DOUBLE_FREE ||
	       kind == HD_V_RCU_USAGE;
}

bool verdict_of_progress(u8 kind)
{
	return kind == HD_V_DEADLOCK || kind == HD_V_LOST_WAKEUP ||
	       kind == HD_V_LIVELOCK;
}

const struct hd_verdict *story_verdict(const struct story *s)
{
	return s->at < s->nverdicts ? &s->verdicts[s->at] : NULL;
}

const char *story_task(const struct story *s, u32 task)
{
	return task < s->ntasks ? s->task[task] : "end check";
}

static bool names_lock(const struct hd_verdict *v, const char *name)
{
	u32 i;

	for (i = 0; name && i < v->nnames; i++)
		if (!strcmp(v->names[i], name))
			return true;
	return false;
}

/* --- who shares what ----------------------------------------------------- */

struct byte_use {
	u64 addr;
	hd_tasks readers, writers;
};

static struct byte_use *byte_of(struct byte_use *t, u64 mask, u64 addr)
{
	u64 i = hd_mix(addr) & mask;

	while (t[i].addr && t[i].addr != addr)
		i = (i + 1) & mask;
	t[i].addr = addr;
	return &t[i];
}

static bool can_share(const struct story *s, u32 i)
{
	u8 kind = s->log[i].ev.op.kind;

	/* a free ends the object: it conflicts with all that ever touched it,
	 * which says nothing */
	return !(s->flag[i] & (REC_AFTER | REC_FRESH)) && is_op(&s->log[i]) &&
	       kind != HD_FREE && kind != HD_ALLOC &&
	       s->log[i].ev.task < s->ntasks;
}

/* An object that its task allocated in this run is private until another task
 * touches it: initialising it conflicts with nothing. */
static void find_fresh(struct story *s)
{
	u64 *foreign = calloc(HD_HEAP_SIZE / HD_GRANULE / 64 + 1, 8);
	u32 i;

	for (i = 0; foreign && i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;
		const struct hd_object *o;
		u64 g;

		if (!is_op(&s->log[i]) || !hd_in_heap(ev->op.addr) ||
		    ev->op.addr >= HD_HEAP_BASE + W->heap_used)
			continue;
		o = hd_object_at(ev->op.addr);
		g = ((u64)o - HD_HEAP_BASE) / HD_GRANULE;
		if (!o || foreign[g / 64] >> g % 64 & 1)
			continue;
		if (o->alloc_task == ev->task)
			s->flag[i] |= REC_FRESH;
		else
			foreign[g / 64] |= 1ull << g % 64;
	}
	free(foreign);
}

static void note_use(struct byte_use *t, u64 mask, const struct hd_event *ev)
{
	u32 k;

	for (k = 0; k < ev->op.size; k++) {
		struct byte_use *b = byte_of(t, mask, ev->op.addr + k);

		if (ev->op.flags & HD_READ)
			hd_add(&b->readers, ev->task);
		if (ev->op.flags & HD_WRITE)
			hd_add(&b->writers, ev->task);
	}
}

static bool shares(struct byte_use *t, u64 mask, const struct hd_event *ev)
{
	hd_tasks others = ~hd_bit(ev->task);
	u32 k;

	for (k = 0; k < ev->op.size; k++) {
		struct byte_use *b = byte_of(t, mask, ev->op.addr + k);
		hd_tasks who = b->writers;

		if (ev->op.flags & HD_WRITE)
			who |= b->readers;
		if (who & others)
			return true;
	}
	return false;
}

static void find_shared(struct story *s)
{
	struct byte_use *t;
	u64 bytes = 0, size = 16;
	u32 i;

	for (i = 0; i < s->n; i++)
		bytes += can_share(s, i) ? s->log[i].ev.op.size : 0;
	while (size < 2 * bytes)
		size *= 2;
	t = calloc(size, sizeof(*t));
	if (!t)
		return;
	for (i = 0; i < s->n; i++)
		if (can_share(s, i))
			note_use(t, size - 1, &s->log[i].ev);
	for (i = 0; i < s->n; i++)
		if (can_share(s, i) && shares(t, size - 1, &s->log[i].ev))
			s->flag[i] |= REC_SHARED;
	free(t);
}

/* --- locks: who got them at once ----------------------------------------- */

u32 story_next_op(const struct story *s, u32 i)
{
	u8 task = s->log[i].ev.task;

	for (i++; i < s->n; i++)
		if (s->log[i].ev.task == task && is_op(&s->log[i]))
			return i;
	return s->n;
}

u32 story_conflict(const struct story *s, u32 i, bool later)
{
	u32 j = i;

	while (later ? ++j < s->n : j-- > 0)
		if (s->log[j].ev.task != s->log[i].ev.task &&
		    is_op(&s->log[j]) && s->log[j].ev.task < s->ntasks &&
		    hd_conflict(&s->log[i].ev.op, &s->log[j].ev.op))
			return j;
	return s->n;
}

/* The annotation that belongs to the lock op at i: made by the same call. */
static const struct hd_record *annotation_of(const struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;
	u32 j = i ? i - 1 : 0, end = i + 3 < s->n ? i + 3 : s->n;

	for (; j < end; j++) {
		const struct hd_event *a = &s->log[j].ev;

		if (a->op.kind >= HD_EV_ACQUIRE &&
		    a->op.kind <= HD_EV_DOWNGRADE && a->task == ev->task &&
		    a->op.pc == ev->op.pc)
			return &s->log[j];
	}
	return NULL;
}

static void judge_lock_op(struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;
	const struct hd_task *t;
	u32 next;

	if (ev->op.kind == HD_TRYLOCK) {
		bool got = ev->op.flags & HD_UNMAPPED ? ev->old != ev->val :
							annotation_of(s, i) != NULL;

		s->flag[i] |= got ? REC_GOT : REC_FAILED;
		return;
	}
	if (ev->op.kind != HD_LOCK)
		return;
	next = story_next_op(s, i);
	if (next < s->n) {
		if (s->log[next].ev.op.kind == HD_ACQUIRED)
			s->flag[i] |= REC_WAITS;
		return;
	}
	t = &W->tasks[ev->task];
	if (t->state != HD_DONE && t->op.kind == HD_ACQUIRED)
		s->flag[i] |= REC_WAITS;
}

/* --- what is shown ------------------------------------------------------- */

static bool has_remark(const struct story *s, u32 i)
{
	u32 j;

	for (j = i + 1; j < s->n; j++) {
		const struct hd_event *ev = &s->log[j].ev;

		if (ev->task != s->log[i].ev.task || is_op(&s->log[j]))
			return false;
		if (ev->op.kind == HD_EV_REMARK && !is_claim(&s->log[j]))
			return true;
	}
	return false;
}

static bool shows_lock_op(const struct story *s, u32 i,
			  const struct hd_verdict *v)
{
	const struct hd_record *a;

	if (s->flag[i] & (REC_SHARED | REC_WAITS))
		return true;
	a = verdict_of_lockdep(v->kind) ? annotation_of(s, i) : NULL;
	return a && names_lock(v, a->ev.text);
}

static bool shows_op(const struct story *s, u32 i, const struct hd_verdict *v)
{
	const struct hd_event *ev = &s->log[i].ev;

	switch (ev->op.kind) {
	case HD_RCU_LOCK:
	case HD_RCU_UNLOCK:
	case HD_RCU_CALL:
	case HD_RCU_GP:
		return verdict_of_lifetime(v->kind);
	case HD_USER:
		return i == s->last;
	case HD_AWAIT:
		return v->kind == HD_V_LIVELOCK;
	case HD_FREE:
		return verdict_of_lifetime(v->kind) && s->last < s->n &&
		       !strcmp(s->log[i].object, s->log[s->last].object);
	case HD_WAIT:
	case HD_WAKE:
		return true;
	}
	if (is_lock_op(ev->op.kind))
		return shows_lock_op(s, i, v);
	return (s->flag[i] & REC_SHARED) || has_remark(s, i) ||
	       lifetime_shows(s, i);
}

/* A blocked task that does not stand at a lock: nothing else tells of it. */
static bool sleeps(const struct story *s, u32 blocked)
{
	u32 i;

	for (i = blocked; i-- > 0;)
		if (s->log[i].ev.task == s->log[blocked].ev.task &&
		    is_op(&s->log[i]))
			return !(s->flag[i] & REC_WAITS);
	return true;
}

static bool shows(const struct story *s, u32 i, const struct hd_verdict *v)
{
	const struct hd_record *rec = &s->log[i];

	if (s->flag[i] & REC_AFTER)
		return false;
	if (rec->ev.op.kind == HD_EV_REMARK)
		return true;
	if (rec->ev.op.kind == HD_EV_BAD_ACCESS)
		return i == s->last;
	if (rec->ev.op.kind == HD_EV_BLOCKED)
		return sleeps(s, i);
	if (rec->ev.op.kind == HD_EV_LOCK_SYNC)
		return i == s->last;
	if (is_manual_annotation(rec))
		return s->all || (verdict_of_lockdep(v->kind) &&
				  names_lock(v, rec->ev.text));
	if (!is_op(rec) || rec->ev.task >= s->ntasks)
		return false;
	if (rec->ev.op.kind == HD_FENCE && !sym_is_model(rec->ev.op.pc))
		return false; /* a task that said something before its first op */
	if (rec->ev.op.kind == HD_JOIN && !sym_is_model(rec->ev.op.pc))
		return false; /* a thread of a program starts, or ends */
	return s->all || i == s->last || shows_op(s, i, v);
}

/* A remark on a load is about a comparison: show what it was compared with, a
 * load of the same size just before in the same function. */
static void show_operands(struct story *s, u32 i)
{
	const struct hd_event *ev = &s->log[i].ev;
	u32 j, seen = 0;

	if (!(s->flag[i] & REC_SHOWN) || ev->op.kind != HD_LOAD ||
	    !has_remark(s, i))
		return;
	for (j = i; j-- > 0 && seen < 2;) {
		const struct hd_event *o = &s->log[j].ev;

		if (o->task != ev->task || !is_op(&s->log[j]))
			continue;
		seen++;
		if (o->op.kind == HD_LOAD && o->op.size == ev->op.size &&
		    sym_same_function(o->op.pc, ev->op.pc))
			s->flag[j] |= REC_SHOWN;
	}
}

/* Locks annotate before they act: a verdict raised by the annotation belongs
 * to the lock's op, which follows at once. */
static void finish_last(struct story *s)
{
	const struct hd_event *a, *b;

	if (s->last + 1 >= s->n || is_manual_annotation(&s->log[s->last]))
		return;
	a = &s->log[s->last].ev;
	b = &s->log[s->last + 1].ev;
	if (a->op.kind < HD_EV_ACQUIRE || a->op.kind > HD_EV_DOWNGRADE ||
	    !is_lock_op(b->op.kind) || b->task != a->task ||
	    b->op.pc != a->op.pc)
		return;
	s->flag[++s->last] &= (u8)~REC_AFTER;
}

/* A race is raised when a store is done; its record comes behind. */
static void finish_race(struct story *s, const struct hd_verdict *v)
{
	u32 i = report_race_later(s, v);

	if (i == s->n || !is_op(&s->log[i]))
		return;
	while (s->last < i)
		s->flag[++s->last] &= (u8)~REC_AFTER;
}

static void select_records(struct story *s)
{
	static const struct hd_verdict none;
	const struct hd_verdict *v = story_verdict(s);
	u32 i;

	s->last = s->n;
	for (i = 0; v && i < s->n; i++) {
		const struct hd_event *ev = &s->log[i].ev;

		if (ev->step > v->step)
			break;
		if (ev->op.kind != HD_EV_REMARK &&
		    ev->op.kind != HD_EV_MARK && ev->op.kind != HD_EV_ALLOC)
			s->last = i;
	}
	for (i = 0; v && i < s->n; i++)
		if (s->log[i].ev.step > v->step)
			s->flag[i] |= REC_AFTER;
	finish_last(s);
	if (v && verdict_of_race(v->kind))
		finish_race(s, v);
	find_fresh(s);
	find_shared(s);
	for (i = 0; i < s->n; i++)
		judge_lock_op(s, i);
	for (i = 0; i < s->n; i++)
		if (shows(s, i, v ? v : &none))
			s->flag[i] |= REC_SHOWN;
	for (i = 0; i < s->n; i++)
		show_operands(s, i);
	i = v && verdict_of_race(v->kind) ? report_race_earlier(s, v) : s->n;
	if (i < s->n)
		s->flag[i] |= REC_SHOWN;
}

/* --- telling ------------------------------------------------------------- */

/* A plain store is recorded when its task enters the engine again, from another
 * place: its callers are those of the nearest record in the same function. */
static void mend_stack(struct story *s, u32 i)
{
	struct hd_record *r = &s->log[i];
	u32 by, k;

	for (by = 1; by < 24; by++) {
		const struct hd_record *o;
		u32 at = by & 1 ? i + (by + 1) / 2 : i - by / 2;

		if (at >= s->n || s->log[at].ev.task != r->ev.task)
			continue;
		o = &s->log[at];
		for (k = 0; k < o->nframes && o->nframes > 1; k++) {
			if (!sym_same_function(o->frames[k], r->ev.op.pc))
				continue;
			r->nframes = (u8)(o->nframes - k);
			memcpy(r->frames, &o->frames[k],
			       r->nframes * sizeof(r->frames[0]));
			r->frames[0] = r->ev.op.pc;
			return;
		}
	}
}

static void mend_stacks(struct story *s)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (s->log[i].ev.op.kind == HD_STORE && s->log[i].nframes == 1)
			mend_stack(s, i);
}

static void name_function(u32 addr, char *buf, size_t size)
{
	struct sym_site site[8];
	u32 n = sym_frames(addr + 1, site, ARRAY_SIZE(site));

	snprintf(buf, size, "%.47s", n ? site[n - 1].function : "");
}

static void copy_run(struct story *s, const struct hd_outcome *o)
{
	u32 i;

	s->n = hd_eng.nlog;
	s->log = malloc((s->n + 1) * sizeof(*s->log));
	s->flag = calloc(s->n + 1, 1);
	memcpy(s->log, hd_eng.log, s->n * sizeof(*s->log));
	s->ntasks = W->ntasks;
	s->nuser = W->nuser;
	for (i = 0; i < s->ntasks; i++) {
		task_label(i, s->task[i], sizeof(s->task[i]));
		name_function((u32)(u64)W->tasks[i].fn, s->task_fn[i],
			      sizeof(s->task_fn[i]));
	}
	mend_stacks(s);
	s->nverdicts = o->nverdicts;
	memcpy(s->verdicts, o->verdicts,
	       o->nverdicts * sizeof(s->verdicts[0]));
	s->preemptions = o->preemptions;
	s->switches = o->switches;
	s->choices = o->choices;
	s->ops = o->ops;
	s->hash = o->hash;
}

bool story_tell(struct story *s, const struct report *r)
{
	struct hd_outcome o = hd_run_with_log(&r->schedule);

	memset(s, 0, sizeof(*s));
	s->report = r;
	s->scenario = r->target.scenario;
	s->variant = r->target.variant;
	s->all = report_all;
	copy_run(s, &o);
	splat_keep(&s->splat);
	for (s->at = 0; s->at < s->nverdicts; s->at++)
		if (!r->want[0] ||
		    want_matches(r->want, &s->verdicts[s->at]))
			break;
	if (story_verdict(s)) {
		verdict_title(story_verdict(s), s->title, sizeof(s->title));
		splat_title(s, s->title, sizeof(s->title));
		verdict_signature(story_verdict(s), s->signature,
				  sizeof(s->signature));
	} else {
		snprintf(s->title, sizeof(s->title), "no verdict%s%s",
			 r->want[0] ? " that matches " : "", r->want);
	}
	select_records(s);
	if (story_verdict(s) && verdict_of_race(story_verdict(s)->kind))
		report_race_title(s, s->title, sizeof(s->title));
	return story_verdict(s) != NULL;
}

bool report_shows(const struct report *r)
{
	struct hd_outcome o = hd_run(&r->schedule);
	u32 i;

	for (i = 0; i < o.nverdicts; i++)
		if (!r->want[0] || want_matches(r->want, &o.verdicts[i]))
			return true;
	return !r->want[0];
}

void story_free(struct story *s)
{
	free(s->log);
	free(s->flag);
	s->log = NULL;
	s->flag = NULL;
}
