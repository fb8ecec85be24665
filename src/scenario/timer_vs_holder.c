/* SPDX-License-Identifier: MIT */
/* An interrupt comes while its own CPU holds the lock that the handler takes.
 *
 * Source: Documentation/locking/spinlocks.rst, lesson 3, describes the class of
 * bug; the program is our own.
 *
 * A queue is filled in process context and emptied by a handler, both under one
 * spinlock.  What to learn from the variants:
 *
 * spin-lock: plain spin_lock() in process context.  A hardirq that comes between
 * lock and unlock spins for ever, because the task that could unlock is under
 * it: deadlock.  irqsave: interrupts are off while the lock is held, so it comes
 * before or after.
 * softirq, softirq-bh: the handler is a softirq; spin_lock_bh() suffices.
 * both-bh: a hardirq takes the lock too, and spin_lock_bh() does not keep it
 * away: deadlock.  both-irqsave: spin_lock_irqsave(), in the softirq as well.
 *
 * Each deadlock needs one interrupt at the wrong moment; lockdep says
 * inconsistent in any run in which the handler came at all, because the lock
 * was taken in an interrupt and with that interrupt on.
 *
 * Another task fills the queue on a CPU of its own: a handler that waits for
 * that one is no bug, its unlock lets the handler go on.
 *
 * Not modelled: raising and masking of the interrupt, more than one coming,
 * CPUs that the holder shares with other tasks. */
#include <heddle/heddle.h>
#include <heddle/kernel.h>

enum how { PLAIN, IRQSAVE, BH };

struct form {
	enum how holder, softirq;
	bool hard, soft; /* which handlers empty the queue */
};

struct queue {
	spinlock_t lock;
	int filled, emptied;
};

static struct queue *queue;

static void setup(void)
{
	queue = heddle_alloc(struct queue);
	spin_lock_init(&queue->lock);
}

static const struct form *form(void)
{
	return heddle_variant_data();
}

static void fill(enum how how)
{
	unsigned long flags = 0;

	if (how == IRQSAVE)
		spin_lock_irqsave(&queue->lock, flags);
	else if (how == BH)
		spin_lock_bh(&queue->lock);
	else
		spin_lock(&queue->lock);
	queue->filled++;
	if (how == IRQSAVE)
		spin_unlock_irqrestore(&queue->lock, flags);
	else if (how == BH)
		spin_unlock_bh(&queue->lock);
	else
		spin_unlock(&queue->lock);
}

static void holder(void *arg)
{
	(void)arg;
	fill(form()->holder);
}

static void other_cpu(void *arg)
{
	(void)arg;
	fill(IRQSAVE);
}

static void empty(enum how how)
{
	unsigned long flags = 0;

	if (how == IRQSAVE)
		spin_lock_irqsave(&queue->lock, flags);
	else
		spin_lock(&queue->lock);
	queue->emptied += queue->filled;
	queue->filled = 0;
	if (how == IRQSAVE)
		spin_unlock_irqrestore(&queue->lock, flags);
	else
		spin_unlock(&queue->lock);
	heddle_mark("emptied by a handler");
}

static void timer(void *arg)
{
	(void)arg;
	if (form()->hard)
		empty(PLAIN);
}

static void softirq(void *arg)
{
	(void)arg;
	if (form()->soft)
		empty(form()->softirq);
}

static void check(void)
{
	heddle_assert(queue->filled + queue->emptied == 2);
}

static const struct heddle_task tasks[] = {
	{ .name = "holder", .fn = holder },
	{ .name = "other", .fn = other_cpu },
	{ .name = "timer", .fn = timer, .irq = HEDDLE_HARDIRQ,
	  .on = "holder" },
	{ .name = "softirq", .fn = softirq, .irq = HEDDLE_SOFTIRQ,
	  .on = "holder" },
	{ 0 },
};

static const struct form plain = { .hard = true },
	irqsave = { .holder = IRQSAVE, .hard = true },
	soft = { .soft = true },
	soft_bh = { .holder = BH, .soft = true },
	both_bh = { .holder = BH, .softirq = IRQSAVE, .hard = true,
		    .soft = true },
	both = { .holder = IRQSAVE, .softirq = IRQSAVE, .hard = true,
		 .soft = true };

static const struct heddle_variant variants[] = {
	{ "spin-lock", "spin_lock() against a hardirq", &plain,
	  { { HD_V_INCONSISTENT, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "irqsave", "spin_lock_irqsave() against a hardirq", &irqsave },
	{ "softirq", "spin_lock() against a softirq", &soft,
	  { { HD_V_INCONSISTENT, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "softirq-bh", "spin_lock_bh() against a softirq", &soft_bh },
	{ "both-bh", "spin_lock_bh() against a softirq and a hardirq",
	  &both_bh, { { HD_V_INCONSISTENT, 0 }, { HD_V_DEADLOCK, 1 } } },
	{ "both-irqsave", "spin_lock_irqsave() against both", &both },
	{ 0 },
};

static const char *const goals[] = { "emptied by a handler", NULL };

HEDDLE_SCENARIO(timer_vs_holder) = {
	.name = "timer_vs_holder",
	.title = "a timer interrupt comes to the CPU that holds its lock",
	.source = "Documentation/locking/spinlocks.rst (class of bug)",
	.not_modelled = "raising and masking; an interrupt comes at most once",
	.variants = variants,
	.tasks = tasks,
	.setup = setup,
	.check = check,
	.goals = goals,
};
