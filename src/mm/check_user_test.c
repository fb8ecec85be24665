/* SPDX-License-Identifier: MIT */
/* Does check_user.c tell an error that has a reason from one that has none? */
#include <heddle/mm.h>
#include <heddle/user_call.h>

#include "../base/twin.h"

enum { A = 0x2000, B = 0x3000 };

struct test {
	struct mm_form form;
	bool broken;
};
static const struct test good = {
	.form = { .lock = &vma_lock_v10, .lock_offset = 0x40000000 },
};
static const struct test bad = {
	.form = { .lock = &vma_lock_v10, .lock_offset = 0x40000000 },
	.broken = true,
};

static bool broken(void)
{
	return ((const struct test *)heddle_variant_data())->broken;
}

#define FORMS(id, ...)                                                 \
	static const struct heddle_variant id##_variants[] = {         \
		{ .name = "safe", .data = &good },                     \
		{ .name = "broken", .data = &bad,                      \
		  .expect = { __VA_ARGS__ } },                         \
		{ .name = NULL },                                      \
	}

/* --- a device that may be off -------------------------------------------- */

static struct device {
	struct mutex lock;
	bool off;
} *dev;

static void device_setup(void)
{
	dev = heddle_alloc(struct device);
	mutex_init(&dev->lock);
}

static void set_off(bool off)
{
	mutex_lock(&dev->lock);
	dev->off = off;
	user_cause(dev, -EAGAIN, off);
	mutex_unlock(&dev->lock);
}

static void off_and_on(void *arg)
{
	(void)arg;
	set_off(true);
	set_off(false);
}

/* Broken: a busy lock is taken for a device that is off. */
static void use_device(void *arg)
{
	int err;

	(void)arg;
	user_call_begin(dev);
	if (!broken()) {
		mutex_lock(&dev->lock);
	} else if (!mutex_trylock(&dev->lock)) {
		user_call_end(-EAGAIN);
		return;
	}
	err = dev->off ? -EAGAIN : 0;
	mutex_unlock(&dev->lock);
	if (err)
		heddle_mark("the device was off");
	user_call_end(err);
}

static const char *const device_goals[] = { "the device was off", NULL };
#define busy_setup device_setup
TWIN_TASKS(busy, { "switch", off_and_on }, { "user", use_device });
FORMS(busy, SHOWS(SPURIOUS_ERROR));
TWIN(busy, "user/busy is no reason", .goals = device_goals);

/* --- a reason that was true too early ---------------------------------------- */

static void two_calls(void *arg)
{
	bool off;

	(void)arg;
	user_call_begin(dev);
	mutex_lock(&dev->lock);
	off = dev->off;
	mutex_unlock(&dev->lock);
	user_call_end(off ? -EAGAIN : 0);
	user_call_begin(dev);
	mutex_lock(&dev->lock);
	if (!broken()) /* else what the first call saw */
		off = dev->off;
	mutex_unlock(&dev->lock);
	user_call_end(off ? -EAGAIN : 0);
}

#define early_setup device_setup
TWIN_TASKS(early, { "switch", off_and_on }, { "user", two_calls });
FORMS(early, SHOWS(SPURIOUS_ERROR));
TWIN(early, "user/true before the call");

/* --- the wrong reason ------------------------------------------------------------ */

static void no_memory(void *arg)
{
	void *p;

	(void)arg;
	user_call_begin(dev);
	p = kzalloc(sizeof(struct device), GFP_KERNEL);
	if (!p) {
		heddle_mark("no memory");
		user_cause_here(-ENOMEM);
	}
	kfree(p);
	user_call_end(p ? 0 : broken() ? -EBUSY : -ENOMEM);
}

static const char *const memory_goals[] = { "no memory", NULL };
#define memory_setup device_setup
TWIN_TASKS(memory, { "user", no_memory });
FORMS(memory, SHOWS(SPURIOUS_ERROR));
TWIN(memory, "user/the call's own reason", .goals = memory_goals);

/* --- no VMA ---------------------------------------------------------------------- */

static struct mm_struct *mm;

static void mapped_setup(void)
{
	mm = mm_alloc();
	mm_add_vma(mm, A, B);
}

static void store_again(void *arg)
{
	(void)arg;
	mmap_write_lock(mm);
	mas_store(mm, vma_lookup(mm, A));
	mmap_write_unlock(mm);
}

static void unmap(void *arg)
{
	(void)arg;
	do_munmap(mm, A, B);
}

static void lookup(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	user_call_begin(mm);
	user_call_needs_vma(mm, A);
	rcu_read_lock();
	vma = mas_walk(mm, A);
	rcu_read_unlock();
	if (!vma)
		heddle_mark("no VMA");
	user_call_end(vma ? 0 : -ENOENT);
}

static const char *const gone_goals[] = { "no VMA", NULL };
static const struct heddle_variant gone_variants[] = {
	{ .name = "safe", .data = &good, .goals = gone_goals },
	{ .name = NULL },
};
#define gone_setup mapped_setup
TWIN_TASKS(gone, { "munmap", unmap }, { "user", lookup });
TWIN(gone, "user/the VMA is gone");

/* Broken: somebody else has the lock, so there is no VMA. */
static void lookup_under_lock(void *arg)
{
	struct vm_area_struct *vma;

	(void)arg;
	user_call_begin(mm);
	user_call_needs_vma(mm, A);
	if (!broken()) {
		mmap_read_lock(mm);
	} else if (!mmap_read_trylock(mm)) {
		user_call_end(-ENOENT);
		return;
	}
	vma = vma_lookup(mm, A);
	mmap_read_unlock(mm);
	user_call_end(vma ? 0 : -ENOENT);
}

#define stays_setup mapped_setup
TWIN_TASKS(stays, { "writer", store_again }, { "user", lookup_under_lock });
FORMS(stays, SHOWS(SPURIOUS_ERROR));
TWIN(stays, "user/the VMA stays");
