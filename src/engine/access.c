/* SPDX-License-Identifier: MIT */
/* Plain and volatile accesses of instrumented code, and explicit ones.
 *
 * Model and scenario code is compiled with -fsanitize=thread and linked with
 * the callbacks below instead of ThreadSanitizer's runtime.  A callback comes
 * BEFORE its access: it publishes the op, returns when the task is chosen, and
 * the access follows at once.  The value of a store is therefore known only at
 * the task's next entry into the engine: hd_settle(). */
#include <string.h>

#include "engine.h"
#include "hot.h"

extern const char etext[]; /* from the linker */

/* A free object of a type-safe cache stays one for as long as the page under it
 * does, which is a grace period.  A spinlock holds that up as well: its holder
 * cannot be preempted, and with PREEMPT_RT it is a reader.  Set-up and end check
 * look at a world that stands still. */
static bool may_look(u64 addr, u32 size)
{
	const struct hd_object *o = hd_object_at(addr);
	u64 off;

	if (!o || o->state != HD_OBJ_TYPESAFE)
		return false;
	off = addr - (u64)(o + 1);
	return off < o->size && off + size <= o->size &&
	       (W->cur->rcu_nesting || W->cur->atomic || !W->running);
}

noinline void hd_bad_access(u64 addr, u32 size, u8 flags, u32 pc)
{
	struct hd_event ev = { .op = { .kind = HD_EV_BAD_ACCESS,
				       .addr = addr, .size = size,
				       .flags = flags, .pc = pc } };

	if (!may_look(addr, size))
		hd_emit(&ev);
}

static noinline void null_access(u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_NULL_DEREF, .fatal = 1,
				.pc = pc };

	hd_settle();
	hd_raise(v);
}

static u32 owner_of(u64 addr)
{
	return (u32)((addr - hd_eng.shared_stack) / HD_STACK_SIZE);
}

/* A saved frame pointer, and behind it a return address.  (Frames of others: not
 * checked by a sanitizer.) */
__attribute__((no_sanitize_address))
static bool is_frame(const u64 *p, u64 top)
{
	return p[0] > (u64)p && p[0] < top - 8 && !(p[0] & 7) &&
	       p[1] - (u64)__executable_start < (u64)(etext - __executable_start);
}

/* Where the frames of the program end on the stack of a suspended task.  Below lie
 * ours, which nobody must write into: it is in them up to the frame whose return
 * address is the op's place.  (What only looks like that one, two saved registers,
 * leads to no further frame; the outermost one is that of the task.  On aarch64 a
 * frame may begin above what is saved, and our outermost one is not told.) */
__attribute__((no_sanitize_address))
static u64 end_of_frames(const struct hd_task *t)
{
	u64 top = HD_STACK_BASE + (t->id + 1) * HD_STACK_SIZE;
	const u64 *p, *f;

	for (p = t->sp; (u64)p < top - 8; p++)
		for (f = p; is_frame(f, top); f = (const u64 *)f[0])
			if (f[1] == t->op.pc &&
			    (f[0] > top - 128 || is_frame((u64 *)f[0], top)))
				return (u64)(f + 2);
	return (u64)t->sp;
}

/* What lies further in has returned, and what is left of it is no part of the
 * world. */
noinline void hd_judge_local(u64 addr, u32 pc)
{
	u32 owner = owner_of(addr);
	struct hd_verdict v = { .kind = HD_V_WILD_ACCESS, .fatal = 1,
				.pc = pc, .nnames = 1,
				.names = { "local of a function that ended" } };

	if (owner == W->cur->id || owner >= W->ntasks || !W->running)
		return;
	hd_order_on(hd_stack_key(owner), false);
	if (W->tasks[owner].state == HD_DONE ||
	    addr < end_of_frames(&W->tasks[owner]))
		hd_raise(v);
}

/* Further inside of a stack accesses are no ops, and what others do there would be
 * missed in silence. */
noinline bool hd_is_local(u64 addr)
{
	if (!hd_in_shared_stack(addr) && owner_of(addr) != W->cur->id &&
	    W->running)
		hd_limit("locals of a thread that others use");
	return hd_in_shared_stack(addr);
}

/* Outside the heap: an op only if it is static data of a model, or a local that
 * threads of a program may share. */
static bool is_static(u64 addr, u32 pc)
{
	if (unlikely(addr < 4096))
		null_access(pc);
	/* no op; but if there is no memory, boot.c knows whose access it was */
	hd_eng.foreign = addr;
	hd_eng.foreign_pc = pc;
	if (likely(hd_in_statics(addr)))
		return true;
	return hd_in_stacks(addr) && hd_is_local(addr);
}

static __always_inline struct hd_op read_of(u64 addr, u32 size, u8 flags,
					    u32 pc)
{
	return (struct hd_op){ .addr = addr, .size = size, .pc = pc,
			       .kind = HD_LOAD, .flags = flags | HD_READ };
}

static __always_inline struct hd_op write_of(u64 addr, u32 size, u8 flags,
					     u32 pc)
{
	return (struct hd_op){ .addr = addr, .size = size, .pc = pc,
			       .kind = HD_STORE, .flags = flags | HD_WRITE };
}

/* What the oracle of accesses wants to know. */
static __always_inline u32 what_of(const struct hd_op *op)
{
	return op->flags | hd_bytes_of(op->addr, op->size) << 8;
}

static __always_inline void read_it(const struct hd_op *op)
{
	u64 id, v;

	hd_publish_op(op);
	id = hd_judge_op(op);
	v = hd_peek(op->addr, op->size);
	hd_did_values(op, id, v, v);
	if (!hd_in_heap(op->addr))
		hd_accessed(W->cur, v, v);
	else if (likely(hd_access_oracle.load))
		hd_access_oracle.load(W->cur, what_of(op), v);
	hd_did_read(W->cur, op->pc);
}

static __always_inline void write_it(const struct hd_op *op)
{
	hd_publish_op(op);
	W->unsettled_id = hd_judge_op(op);
	W->unsettled_old = hd_peek(op->addr, op->size);
	W->unsettled = 1;
	if (unlikely(hd_eng.recording))
		hd_keep_frames(op->pc);
	if (!hd_in_heap(op->addr))
		hd_accessed(W->cur, W->unsettled_old, W->unsettled_old);
	else if (likely(hd_access_oracle.store))
		hd_access_oracle.store(W->cur, what_of(op), W->unsettled_old);
}

static noinline void read_elsewhere(u64 addr, u32 size, u8 flags, u32 pc)
{
	struct hd_op op = read_of(addr, size, flags, pc);

	if (is_static(addr, pc))
		read_it(&op);
}

static noinline void write_elsewhere(u64 addr, u32 size, u8 flags, u32 pc)
{
	struct hd_op op = write_of(addr, size, flags, pc);

	if (is_static(addr, pc))
		write_it(&op);
}

/* Two copies, as nearly all accesses are to the heap. */
static __always_inline void on_read(void *p, u32 size, u8 flags, u32 pc)
{
	struct hd_op op = read_of((u64)p, size, flags, pc);

	if (likely(hd_in_heap(op.addr)))
		read_it(&op);
	else
		read_elsewhere(op.addr, size, flags, pc);
}

static __always_inline void on_write(void *p, u32 size, u8 flags, u32 pc)
{
	struct hd_op op = write_of((u64)p, size, flags, pc);

	if (likely(hd_in_heap(op.addr)))
		write_it(&op);
	else
		write_elsewhere(op.addr, size, flags, pc);
}

/* --- ThreadSanitizer's callbacks ---------------------------------------------- */

#define CALLBACKS(n)                                                          \
	void __tsan_read##n(void *p) { on_read(p, n, HD_PLAIN, HD_PC()); }    \
	void __tsan_write##n(void *p) { on_write(p, n, HD_PLAIN, HD_PC()); }  \
	void __tsan_unaligned_read##n(void *p)                                \
	{                                                                     \
		on_read(p, n, HD_PLAIN, HD_PC());                             \
	}                                                                     \
	void __tsan_unaligned_write##n(void *p)                               \
	{                                                                     \
		on_write(p, n, HD_PLAIN, HD_PC());                            \
	}                                                                     \
	void __tsan_volatile_read##n(void *p) { on_read(p, n, 0, HD_PC()); }  \
	void __tsan_volatile_write##n(void *p) { on_write(p, n, 0, HD_PC()); }\
	void __tsan_unaligned_volatile_read##n(void *p)                       \
	{                                                                     \
		on_read(p, n, 0, HD_PC());                                    \
	}                                                                     \
	void __tsan_unaligned_volatile_write##n(void *p)                      \
	{                                                                     \
		on_write(p, n, 0, HD_PC());                                   \
	}

CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)

void __tsan_read16(void *p)
{
	on_read(p, 8, HD_PLAIN, HD_PC());
	on_read((char *)p + 8, 8, HD_PLAIN, HD_PC());
}

void __tsan_write16(void *p)
{
	on_write(p, 8, HD_PLAIN, HD_PC());
	on_write((char *)p + 8, 8, HD_PLAIN, HD_PC());
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void)
{
}

/* --- block copies of model code: split into words ------------------------------ */

static u32 chunk(const void *a, const void *b, size_t left)
{
	return left >= 8 && !(((u64)a | (u64)b) & 7) ? 8 :
	       left >= 4 && !(((u64)a | (u64)b) & 3) ? 4 : 1;
}

void *hd_memcpy(void *to, const void *from, size_t size)
{
	u32 pc = HD_PC(), n;
	char word[8];
	size_t at;

	for (at = 0; at < size; at += n) {
		char *d = (char *)to + at;
		char *s = (char *)from + at;

		n = chunk(d, s, size - at);
		on_read(s, n, HD_PLAIN, pc);
		memcpy(word, s, n); /* others may run before the write */
		on_write(d, n, HD_PLAIN, pc);
		memcpy(d, word, n);
	}
	return to;
}

void *hd_memmove(void *to, const void *from, size_t size)
{
	u32 pc = HD_PC(), n;
	char word[8];
	size_t left;

	if (to <= from)
		return hd_memcpy(to, from, size);
	for (left = size; left; left -= n) {
		n = !(((u64)to | (u64)from | left) & 7) ? 8 : 1;
		on_read((char *)from + left - n, n, HD_PLAIN, pc);
		memcpy(word, (char *)from + left - n, n);
		on_write((char *)to + left - n, n, HD_PLAIN, pc);
		memcpy((char *)to + left - n, word, n);
	}
	return to;
}

void *hd_memset(void *to, int c, size_t size)
{
	u32 pc = HD_PC(), n;
	size_t at;

	for (at = 0; at < size; at += n) {
		char *d = (char *)to + at;

		n = chunk(d, d, size - at);
		on_write(d, n, HD_PLAIN, pc);
		memset(d, c, n);
	}
	return to;
}

/* --- awaits ------------------------------------------------------------------------ */

bool hd_reads_changed(const void *arg)
{
	const struct hd_task *t = arg;
	u32 i;

	for (i = 0; i < t->nreads; i++)
		if (hd_peek(hd_read_addr(t->reads[i].addr),
			    hd_read_size(t->reads[i].addr)) != t->reads[i].val)
			return true;
	return false;
}

/* --- for primitives: an explicit op is executed now ----------------------------- */

void hd_judge(const volatile void *p, u32 size, u8 flags, u32 pc)
{
	struct hd_op op = { .addr = (u64)p, .size = size, .pc = pc,
			    .flags = flags };

	if (unlikely(op.addr < 4096))
		null_access(pc);
	hd_judge_op(&op);
}
