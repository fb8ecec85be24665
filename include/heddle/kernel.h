/* SPDX-License-Identifier: MIT */
/* The whole kernel API of heddle, for code from a patch mail. */
#ifndef HEDDLE_KERNEL_H
#define HEDDLE_KERNEL_H

#include <heddle/atomic.h>
#include <heddle/bit_spinlock.h>
#include <heddle/bitops.h>
#include <heddle/bug.h>
#include <heddle/compiler.h>
#include <heddle/completion.h>
#include <heddle/errno.h>
#include <heddle/folio.h>
#include <heddle/heddle.h>
#include <heddle/irq.h>
#include <heddle/lockdep.h>
#include <heddle/mutex.h>
#include <heddle/percpu_rwsem.h>
#include <heddle/rcu.h>
#include <heddle/refcount.h>
#include <heddle/rtmutex.h>
#include <heddle/rwlock.h>
#include <heddle/rwsem.h>
#include <heddle/sched.h>
#include <heddle/seqlock.h>
#include <heddle/slab.h>
#include <heddle/spinlock.h>
#include <heddle/srcu.h>
#include <heddle/wait.h>
#include <heddle/wait_bit.h>

#endif
