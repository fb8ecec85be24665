/* SPDX-License-Identifier: MIT */
/* What patches call and what does nothing here: include/heddle/mm_stubs.h. */
#include <heddle/mm_stubs.h>

#define X(name)                                                        \
	void name()                                                    \
	{                                                              \
	}
HD_STUBS(X)
#undef X
#define X(name)                                                        \
	int name()                                                     \
	{                                                              \
		return 0;                                              \
	}
HD_STUBS_0(X)
#undef X
#define X(name)                                                        \
	int name()                                                     \
	{                                                              \
		return 1;                                              \
	}
HD_STUBS_1(X)
#undef X
