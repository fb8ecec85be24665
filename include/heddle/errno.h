/* SPDX-License-Identifier: MIT */
/* errno values as the kernel returns them (asm-generic/errno-base.h).  For
 * model code; does not go together with the C library's <errno.h>. */
#ifndef HEDDLE_ERRNO_H
#define HEDDLE_ERRNO_H

enum {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	EAGAIN = 11,
	ENOMEM = 12,
	EFAULT = 14,
	EBUSY = 16,
	EEXIST = 17,
	EINVAL = 22,
};

#endif
