/* SPDX-License-Identifier: MIT */
/* Events: the trace hash, the subscribers, the recording and the verdicts. */
#include <heddle/heddle.h>
#include <stdio.h>
#include <string.h>

#include "../base/hash.h"
#include "coro.h"
#include "engine.h"
#include "hot.h"

hd_subscriber hd_subscribers[HD_KINDS][HD_MAX_SUBSCRIBERS + 1];
struct hd_lock_oracle hd_lock_oracle;
struct hd_access_oracle hd_access_oracle;

void hd_subscribe(u8 kind, hd_subscriber fn)
{
	u32 i = 0;

	while (hd_subscribers[kind][i])
		i++;
	if (i < HD_MAX_SUBSCRIBERS)
		hd_subscribers[kind][i] = fn;
}

void hd_unsubscribe_all(void)
{
	memset(hd_subscribers, 0, sizeof(hd_subscribers));
	memset(&hd_lock_oracle, 0, sizeof(hd_lock_oracle));
	memset(&hd_access_oracle, 0, sizeof(hd_access_oracle));
}

/* --- recording -------------------------------------------------------------- */

void hd_name_object(struct hd_record *r, u64 addr)
{
	struct hd_object *o;

	r->object[0] = 0;
	r->type = NULL;
	if (!hd_in_heap(addr) || addr >= HD_HEAP_BASE + W->heap_used)
		return;
	o = hd_object_at(addr);
	if (!o)
		return;
	r->type = o->type;
	r->type_off = (u32)(addr - (u64)(o + 1));
	snprintf(r->object, sizeof(r->object), "%s#%u", o->type, o->instance);
}

/* Walk the frame pointers of the running task's own stack, beginning at the
 * op's own place, without our frames above it.  Not checked by a sanitizer: a
 * stack that was used before may still be marked as it was. */
__attribute__((no_sanitize_address))
static u8 walk(u32 *frames, u32 pc_of_op, const struct hd_task *t)
{
	u64 low = HD_STACK_BASE + t->id * HD_STACK_SIZE;
	u64 *fp = __builtin_frame_address(0);
	u8 n = 0;

	while ((u64)fp > low && (u64)fp < low + HD_STACK_SIZE - 16 &&
	       n < HD_MAX_FRAMES) {
		u32 pc = (u32)fp[1];

		if (n || pc == pc_of_op)
			frames[n++] = pc;
		if (fp[0] <= (u64)fp)
			break;
		fp = (u64 *)fp[0];
	}
	if (!n)
		frames[n++] = pc_of_op;
	return n;
}

/* A store's event comes at the task's next entry into the engine, maybe from
 * another function: remember now where the store happened. */
void hd_keep_frames(u32 pc)
{
	hd_eng.nstore_frames = walk(hd_eng.store_frames, pc, W->cur);
}

static void put_frames(struct hd_record *r)
{
	r->nframes = hd_eng.nstore_frames;
	if (r->nframes)
		memcpy(r->frames, hd_eng.store_frames, sizeof(r->frames));
	else
		r->nframes = walk(r->frames, r->ev.op.pc, W->cur);
	hd_eng.nstore_frames = 0;
}

static u8 context_of(const struct hd_task *t)
{
	return (u8)((t->in_hardirq ? HD_IN_HARDIRQ : 0) |
		    (t->in_softirq ? HD_IN_SOFTIRQ : 0) |
		    (t->irqs_off ? HD_IRQS_OFF : 0) |
		    (t->bh_off ? HD_BH_OFF : 0));
}

static void record(const struct hd_event *ev)
{
	struct hd_record *r;

	if (hd_eng.nlog == hd_eng.maxlog)
		return;
	r = &hd_eng.log[hd_eng.nlog++];
	r->ev = *ev;
	r->preemptions = W->preemptions;
	hd_name_object(r, ev->op.addr);
	if (ev->task < W->ntasks) {
		put_frames(r);
		r->nheld = W->cur->nheld;
		r->context = context_of(W->cur);
	} else {
		r->nframes = 0;
		r->nheld = 0;
		r->context = 0;
	}
}

/* What comes before the first op of a run is not recorded: the stacks of the
 * last allocations there. */
static struct {
	u16 granule;
	u8 n;
	u32 frames[HD_MAX_FRAMES];
} setup_alloc[256];
static u32 nsetup;

static u16 granule_of(const struct hd_object *o)
{
	return (u16)(((u64)o - HD_HEAP_BASE) / HD_GRANULE);
}

void hd_record_alloc(const struct hd_object *o)
{
	struct hd_event ev = { .op = { .kind = HD_EV_ALLOC, .size = o->size,
				       .addr = (u64)(o + 1),
				       .pc = o->alloc_pc },
			       .n = W->cur->n, .step = W->step,
			       .task = W->cur->id };
	u32 i;

	if (unlikely(hd_eng.recording))
		record(&ev);
	if (likely(W->ops))
		return;
	i = nsetup++ % ARRAY_SIZE(setup_alloc);
	setup_alloc[i].granule = granule_of(o);
	setup_alloc[i].n = walk(setup_alloc[i].frames, o->alloc_pc, W->cur);
}

u8 hd_setup_frames(const struct hd_object *o, u32 frames[HD_MAX_FRAMES])
{
	u32 i, k;

	for (k = 1; k <= nsetup && k <= ARRAY_SIZE(setup_alloc); k++) {
		i = (nsetup - k) % ARRAY_SIZE(setup_alloc);
		if (setup_alloc[i].granule != granule_of(o))
			continue;
		memcpy(frames, setup_alloc[i].frames,
		       sizeof(setup_alloc[i].frames));
		return setup_alloc[i].n;
	}
	return 0;
}

/* --- emitting --------------------------------------------------------------- */

void hd_touch(u64 addr, u32 size, enum hd_touching how)
{
	struct hd_touch *t;

	if (hd_eng.ntouch == ARRAY_SIZE(hd_eng.touch)) {
		hd_eng.touch_overflow = true;
		return;
	}
	t = &hd_eng.touch[hd_eng.ntouch++];
	t->addr = addr;
	t->size = size;
	t->how = how;
}

void hd_order_range(const volatile void *p, u32 size, bool write)
{
	struct hd_op op = { .addr = (u64)p, .size = size,
			    .flags = write ? HD_WRITE : HD_READ };

	hd_eng.ordered = true;
	if (hd_eng.touching)
		hd_touch(op.addr, size, write ? HD_WRITES : HD_READS);
	/* no op shows that this task was here: tell the profile */
	if (hd_eng.profiling || hd_eng.central)
		hd_eng.learned |= hd_profile_learn(&op, W->cur->id);
}

static enum hd_touching how_of(const struct hd_op *op)
{
	if (op->flags & HD_COMMUTES)
		return HD_ADDS;
	return op->flags & HD_WRITE ? HD_WRITES : HD_READS;
}

void hd_emit(struct hd_event *ev)
{
	hd_subscriber *s = hd_subscribers[ev->op.kind];

	ev->step = ++W->step;
	ev->task = W->cur->id;
	ev->n = W->cur->n;
	if (unlikely(hd_eng.touching) && ev->op.size)
		hd_touch(ev->op.addr, ev->op.size, how_of(&ev->op));
	if (unlikely(hd_eng.recording))
		record(ev);
	for (; *s; s++)
		(*s)(ev);
}

void hd_tell(struct hd_task *t, u64 old, u64 val)
{
	struct hd_event ev = { .op = t->op, .old = old, .val = val };

	if (unlikely(W->probing))
		return;
	if (hd_eng.feedback && W->running)
		hd_eng.feedback(&ev);
	if (hd_eng.attentive || hd_subscribers[ev.op.kind][0])
		hd_emit(&ev);
	else
		W->step++;
}

noinline void hd_did_heard(struct hd_task *t, u64 id, u64 old, u64 val)
{
	if (W->running)
		hd_hash_op(t, &t->op, id, old, val, hd_eng.central);
	hd_tell(t, old, val);
}

void hd_did(u64 old, u64 val)
{
	struct hd_op op = W->cur->op;

	hd_did_op(&op, hd_address_id(op.addr), old, val);
}

void hd_settle_store(void)
{
	const struct hd_op *now = &W->cur->op;
	struct hd_op op = { .addr = now->addr, .size = now->size,
			    .kind = HD_STORE, .flags = HD_WRITE };

	u64 val = hd_peek(op.addr, op.size);

	W->unsettled = 0;
	hd_did_values(&op, W->unsettled_id, W->unsettled_old, val);
	if (unlikely(W->store_watched)) {
		W->store_watched = 0;
		hd_access_oracle.settled(now, W->unsettled_old, val);
	}
}

void hd_note(u32 code, const volatile void *obj, bool write, u64 a, u64 b,
	     u32 pc)
{
	/* checks judge obj apart from the memory it occupies */
	struct hd_event ev = { .op = { .kind = HD_EV_NOTE, .code = code,
				       .addr = (u64)obj, .pc = pc },
			       .old = a, .val = b };

	hd_settle();
	if (W->probing)
		return;
	if (obj)
		hd_order_on((u64)obj | 1ull << 63, write);
	hd_emit(&ev);
}

void hd_remark_at(const char *text, u32 pc, const volatile void *p, u32 size)
{
	struct hd_event ev = { .op = { .kind = HD_EV_REMARK, .pc = pc,
				       .addr = (u64)p, .size = size },
			       .text = text };

	if (likely(!hd_eng.recording))
		return;
	hd_settle();
	record(&ev);
	hd_eng.log[hd_eng.nlog - 1].ev.task = W->cur->id;
	hd_eng.log[hd_eng.nlog - 1].ev.step = W->step;
}

void heddle_remark(const char *text)
{
	hd_remark_at(text, HD_PC(), NULL, 0);
}

void heddle_state(u32 hash)
{
	if (unlikely(hd_eng.state) && W->running)
		hd_eng.state(hash);
}

/* --- goals ------------------------------------------------------------------- */

extern const struct hd_mark __start_hd_marks[] __attribute__((weak));
extern const struct hd_mark __stop_hd_marks[] __attribute__((weak));
static u64 goal_of[HD_MAX_MARKS]; /* a bit for each mark that is a goal */

const char *const *hd_goals(void)
{
	static const char *const none[] = { NULL };

	if (hd_eng.variant->goals)
		return hd_eng.variant->goals;
	return hd_eng.scenario->goals ? hd_eng.scenario->goals : none;
}

void hd_find_goals(void)
{
	u64 i, n = (u64)(__stop_hd_marks - __start_hd_marks);
	const char *const *goal;
	u64 bit;

	for (i = 0; i < n && i < HD_MAX_MARKS; i++) {
		goal_of[i] = 0;
		for (goal = hd_goals(), bit = 1; *goal; goal++, bit <<= 1)
			if (!strcmp(__start_hd_marks[i].name, *goal))
				goal_of[i] |= bit;
	}
}

void hd_mark_hit(const struct hd_mark *mark)
{
	u64 i = (u64)(mark - __start_hd_marks);

	if (W->probing)
		return;
	if (i < HD_MAX_MARKS)
		W->marks |= goal_of[i];
	if (hd_eng.recording) {
		hd_settle();
		struct hd_event ev = { .op = { .kind = HD_EV_MARK },
				       .text = mark->name };
		record(&ev);
		hd_eng.log[hd_eng.nlog - 1].ev.task = W->cur->id;
		hd_eng.log[hd_eng.nlog - 1].ev.step = W->step;
	}
}

/* --- verdicts ---------------------------------------------------------------- */

static bool same(const struct hd_verdict *a, const struct hd_verdict *b)
{
	u32 i;

	if (a->kind != b->kind || a->off != b->off ||
	    a->nnames != b->nnames || a->type != b->type)
		return false;
	for (i = 0; i < a->nnames; i++)
		if (a->names[i] != b->names[i])
			return false;
	return true;
}

static struct hd_verdict too_many(void)
{
	struct hd_verdict v = { .kind = HD_V_LIMIT, .fatal = 1, .nnames = 1,
				.names = { "verdicts of a run" } };

	v.step = W->step;
	v.task = W->cur->id;
	return v;
}

void hd_raise(struct hd_verdict v)
{
	void *ignored;
	u32 i;

	if (W->probing) {
		if (v.fatal) /* whatever it is, the sleeper went on */
			hd_probe_done(true);
		return;
	}
	hd_need_op();
	v.step = W->step;
	v.task = W->cur->id;
	hd_order_on(1ull << 62 | v.kind, true);
	for (i = 0; i < W->nverdicts; i++)
		if (same(&W->verdicts[i], &v))
			break;
	if (i == HD_MAX_VERDICTS) { /* never in silence */
		v = too_many();
		W->verdicts[i - 1] = v;
	} else if (i == W->nverdicts) {
		hd_list_verdict(&v);
	}
	if (!v.fatal)
		return;
	W->ended = 1;
	W->unsettled = 0;
	if (hd_on_task_stack())
		hd_coro_switch(&ignored, hd_eng.main_sp);
}

void hd_limit(const char *what)
{
	struct hd_verdict v = { .kind = HD_V_LIMIT, .fatal = 1, .nnames = 1,
				.names = { what } };

	hd_raise(v);
}
