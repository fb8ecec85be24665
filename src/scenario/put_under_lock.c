/* SPDX-License-Identifier: MIT */
/* The last reference to an object is dropped under the lock that lies in it.
 *
 * Source: the rule that Documentation/locking/mutex-design.rst (6.12) states
 * about mutex_unlock(): it may still touch the mutex when another task has got it
 * already, so that the object must not be freed before it returns; who unlocks
 * needs a reference of his own.  The program is our own: two users of one object,
 * each with a reference. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

struct session {
	refcount_t refs;
	struct mutex lock;
	u32 requests;
};

enum form { SAFE, INSIDE, NO_PUT };

static struct {
	struct session *session;
} *server;

static enum form form(void)
{
	const enum form *f = heddle_variant_data();

	return *f;
}

static void setup(void)
{
	server = heddle_alloc_type("struct server", sizeof(*server));
}

static void session_get(struct session *s)
{
	refcount_inc(&s->refs);
}

static void session_put(struct session *s)
{
	if (!refcount_dec_and_test(&s->refs))
		return;
	heddle_mark("last put");
	kfree(s);
}

static void request(struct session *s)
{
	mutex_lock(&s->lock);
	s->requests++;
	if (form() == INSIDE)
		session_put(s);
	mutex_unlock(&s->lock);
	if (form() != INSIDE)
		session_put(s);
}

static void open_session(void *arg)
{
	struct session *s = kzalloc(sizeof(struct session),
				    GFP_KERNEL | __GFP_NOFAIL);

	(void)arg;
	refcount_set(&s->refs, 1);
	mutex_init(&s->lock);
	session_get(s); /* the client's */
	smp_store_release(&server->session, s);
	request(s);
}

static void client(void *arg)
{
	struct session *s = smp_load_acquire(&server->session);

	(void)arg;
	while (!s) {
		cpu_relax();
		s = smp_load_acquire(&server->session);
	}
	if (form() == NO_PUT && !mutex_trylock(&s->lock))
		return; /* busy: and the reference? */
	if (form() == NO_PUT)
		mutex_unlock(&s->lock);
	request(s);
}

static const struct heddle_task tasks[] = {
	{ .name = "opener", .fn = open_session },
	{ .name = "client", .fn = client },
	{ 0 },
};

static const enum form safe = SAFE, inside = INSIDE, no_put = NO_PUT;

static const struct heddle_variant variants[] = {
	{ "fixed", "unlocks, then drops the reference", &safe },
	{ "buggy", "drops the reference, then unlocks", &inside,
	  { { HD_V_FREED, 0 }, { HD_V_USE_AFTER_FREE, 0 } } },
	{ "no-put", "an error path that keeps the reference", &no_put,
	  { { HD_V_REFCOUNT_LEAK, 1 } } },
	{ 0 },
};

static const char *const goals[] = { "last put", NULL };

HEDDLE_SCENARIO(put_under_lock) = {
	.name = "put_under_lock",
	.title = "the last put under the lock that lies in the object",
	.source = "Documentation/locking/mutex-design.rst, 6.12 (its rule)",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.goals = goals,
};
