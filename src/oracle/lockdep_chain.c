/* SPDX-License-Identifier: MIT */
/* Which stacks of held locks were validated before?
 *
 * The kernel keeps a hash set of chain keys over the (class, read) pairs of a
 * stack, and checks a stack only if its key is new.  A tree does the same
 * without collisions, and the way to a child is shorter than a hash.  What is
 * not part of a chain is not part of the key either, with the kernel's holes:
 * a stack that was validated under a nest lock is trusted without it.  All
 * interrupt contexts share one root, as they share the initial key. */
#include "lockdep.h"

u16 lockdep_new_chain(u16 chain, u16 what)
{
	u32 c = lockdep->chain_bytes / (u32)sizeof(struct lockdep_chain);

	if (c >= LOCKDEP_CHAINS) {
		lockdep_report_name(HD_V_LIMIT, "lock chains");
		return 0;
	}
	lockdep->chain_bytes += (u32)sizeof(struct lockdep_chain);
	lockdep->chain[c] = (struct lockdep_chain){
		.what = what, .sibling = lockdep->chain[chain].child,
	};
	lockdep->chain[chain].child = (u16)c;
	return (u16)c;
}
