/* SPDX-License-Identifier: MIT */
/* Lockdep annotations, with the kernel's names and argument order
 * (include/linux/lockdep.h, 6.12).
 *
 * Locks of heddle annotate themselves.  Code that builds a lock out of other
 * things (the VMA lock out of a reference count) annotates by hand, as in the
 * kernel.  Blocking acquires announce BEFORE they block, trylocks after
 * success.  read: 0 exclusive, 1 reader, 2 recursive reader. */
#ifndef HEDDLE_LOCKDEP_H
#define HEDDLE_LOCKDEP_H

#include <heddle/op.h>

struct lock_class_key {
	char unused;
};

/* Wait types (include/linux/lockdep_types.h): what a lock's critical section
 * may contain (inner), and inside what it may be taken (outer; INV: as inner).
 * A lock of type INV is not checked. */
enum lockdep_wait_type {
	LD_WAIT_INV = 0,
	LD_WAIT_FREE,   /* wait free: RCU */
	LD_WAIT_SPIN,   /* raw_spinlock_t */
	LD_WAIT_CONFIG, /* spinlock_t, rwlock_t: sleep under PREEMPT_RT */
	LD_WAIT_SLEEP,  /* mutex, rwsem, rt_mutex */
	LD_WAIT_MAX,
};
enum lockdep_lock_type {
	LD_LOCK_NORMAL = 0,
	LD_LOCK_PERCPU,        /* local_lock: no interrupt can deadlock on it */
	LD_LOCK_WAIT_OVERRIDE, /* an annotation that lifts a wait type */
};

/* 24 bytes.  Locks whose maps share a key are one class. */
struct lockdep_map {
	const struct lock_class_key *key;
	const char *name;
	u8 class_cache[2]; /* class index + 1 for subclasses 0 and 1 */
	u8 wait_inner, wait_outer; /* enum lockdep_wait_type */
	u8 lock_type;              /* enum lockdep_lock_type */
	u8 pad[3];
};

/* Set up a map (out of line, no op).  name is the expression that names the
 * lock at its init site: "&mm->mmap_lock" becomes "mmap_lock".  The kernel's
 * fourth argument, a default subclass, must be 0. */
void hd_lockdep_init_map(struct lockdep_map *map, const char *name,
			 const struct lock_class_key *key);
#define lockdep_init_map(map, name, key, ...) \
	hd_lockdep_init_map(map, name, key)
void hd_lockdep_init_map_type(struct lockdep_map *map, const char *name,
			      const struct lock_class_key *key, u8 inner,
			      u8 outer, u8 lock_type);
#define lockdep_init_map_wait(map, name, key, sub, inner) \
	hd_lockdep_init_map_type(map, name, key, inner, LD_WAIT_INV, 0)
#define lockdep_init_map_waits(map, name, key, sub, inner, outer) \
	hd_lockdep_init_map_type(map, name, key, inner, outer, 0)
#define lockdep_init_map_type(map, name, key, sub, inner, outer, type) \
	hd_lockdep_init_map_type(map, name, key, inner, outer, type)
/* A map of a static lock: its own address is its class. */
#define STATIC_LOCKDEP_MAP_INIT(text, k) \
	{ .key = (const struct lock_class_key *)(k), .name = (text) }
#define STATIC_LOCKDEP_MAP_INIT_WAIT(text, k, inner)                   \
	{ .key = (const struct lock_class_key *)(k), .name = (text),   \
	  .wait_inner = (inner) }
/* A class for all maps that are initialised at this line of code. */
#define lockdep_init_map_here(map, text)                               \
	do {                                                           \
		static struct lock_class_key __key;                    \
		hd_lockdep_init_map((map), (text), &__key);            \
	} while (0)

/* All of them: read 0, 1, 2; check 0: on the stack, but not validated; nest: a
 * lock that is held and orders all locks of this class, or NULL. */
#define lock_acquire(m, sub, try, read, check, nest, ip) \
	hd_annotate_acquire_all(m, sub, try, read, check, nest)
#define lock_release(m, ip) hd_annotate_release(m)
/* Waiting for all critical sections of m, without a section of one's own. */
#define lock_sync(m, sub, read, check, nest, ip) \
	hd_annotate_sync(m, sub, read, check)
#define lock_map_sync(m) hd_annotate_sync(m, 0, 0, 1)
#define lock_set_subclass(m, sub, ip) hd_annotate_subclass(m, sub)
#define might_lock(l)                                                  \
	do {                                                           \
		hd_annotate_acquire(&(l)->dep_map, 0, 0, 0);           \
		hd_annotate_release(&(l)->dep_map);                    \
	} while (0)
#define might_lock_read(l)                                             \
	do {                                                           \
		hd_annotate_acquire(&(l)->dep_map, 0, 0, 1);           \
		hd_annotate_release(&(l)->dep_map);                    \
	} while (0)
#define rwsem_acquire(m, sub, try, ip) \
	hd_annotate_acquire(m, sub, try, 0)
#define rwsem_acquire_nest(m, sub, try, n, ip) \
	hd_annotate_acquire_all(m, sub, try, 0, 1, n)
#define mutex_acquire_nest(m, sub, try, n, ip) \
	hd_annotate_acquire_all(m, sub, try, 0, 1, n)
#define spin_acquire_nest(m, sub, try, n, ip) \
	hd_annotate_acquire_all(m, sub, try, 0, 1, n)
#define rwsem_acquire_read(m, sub, try, ip) \
	hd_annotate_acquire(m, sub, try, 1)
#define rwsem_release(m, ip) hd_annotate_release(m)
#define mutex_acquire(m, sub, try, ip) hd_annotate_acquire(m, sub, try, 0)
#define mutex_release(m, ip) hd_annotate_release(m)
#define spin_acquire(m, sub, try, ip) hd_annotate_acquire(m, sub, try, 0)
#define spin_release(m, ip) hd_annotate_release(m)
#define lock_map_acquire(m) hd_annotate_acquire(m, 0, 0, 0)
#define lock_map_acquire_read(m) hd_annotate_acquire(m, 0, 0, 2)
#define lock_map_release(m) hd_annotate_release(m)
#define lock_acquired(m, ip) ((void)(m))
#define lock_contended(m, ip) ((void)(m))
void hd_annotate_acquire(struct lockdep_map *map, int subclass, int trylock,
			 int read);
void hd_annotate_acquire_all(struct lockdep_map *map, int subclass,
			     int trylock, int read, int check,
			     struct lockdep_map *nest);
void hd_annotate_sync(struct lockdep_map *map, int subclass, int read,
		      int check);
void hd_annotate_subclass(struct lockdep_map *map, int subclass);
void hd_annotate_release(struct lockdep_map *map);
/* From exclusive to reader. */
void hd_annotate_downgrade(struct lockdep_map *map);
#define lock_downgrade(m, ip) hd_annotate_downgrade(m)

/* Is the map held by this task?  read: -1 in any mode, 0 exclusively, 1 as
 * reader (recursive or not). */
/* For the race oracle, right behind a lock operation: what was released by the
 * lock's owner before goes with this task's marked stores from here on.  The LKMM
 * has it of every unlock and the lock that follows it (po-unlock-lock-po); the
 * oracle does not, because so few programs need it that it is not worth its
 * price at every lock. */
#define heddle_unlock_lock_orders() hd_fence(HD_RELEASE)
bool hd_lock_is_held(const struct lockdep_map *map, int read);
#define lock_is_held(m) hd_lock_is_held(m, -1)
#define lock_is_held_type(m, read) hd_lock_is_held(m, read)
#define lockdep_is_held(l) hd_lock_is_held(&(l)->dep_map, -1)
#define lockdep_is_held_type(l, read) hd_lock_is_held(&(l)->dep_map, read)

/* Verdict lock-assert, recorded, if held is false.  map may be NULL. */
void hd_lockdep_assert(bool held, const struct lockdep_map *map);
#define lockdep_assert(cond) hd_lockdep_assert((cond), NULL)
/* For a lock with a member dep_map; verdict lock-assert if it is not held. */
#define lockdep_assert_held(l) \
	hd_lockdep_assert(hd_lock_is_held(&(l)->dep_map, -1), &(l)->dep_map)
#define lockdep_assert_held_write(l) \
	hd_lockdep_assert(hd_lock_is_held(&(l)->dep_map, 0), &(l)->dep_map)
#define lockdep_assert_held_read(l) \
	hd_lockdep_assert(hd_lock_is_held(&(l)->dep_map, 1), &(l)->dep_map)
#define lockdep_assert_not_held(l) \
	hd_lockdep_assert(!hd_lock_is_held(&(l)->dep_map, -1), &(l)->dep_map)

#define _RET_IP_ 0ul /* the engine takes the place itself */
#define _THIS_IP_ 0ul
#define SINGLE_DEPTH_NESTING 1

/* A class of its own for a lock that nobody holds; k is its name as well. */
#define lockdep_set_class(l, k) hd_lockdep_set_class(&(l)->dep_map, #k, (k))
#define lockdep_set_class_and_name(l, k, n) \
	hd_lockdep_set_class(&(l)->dep_map, (n), (k))
void hd_lockdep_set_class(struct lockdep_map *map, const char *name,
			  const struct lock_class_key *key);

#endif
