/* SPDX-License-Identifier: MIT */
/* What is a lock of a program called, which is static data of it?
 *
 * The name becomes part of verdicts, so fuzz targets of programs link this, too. */
#include <string.h>

#include "sym.h"

const char *hd_static_name(u64 addr);
const char *hd_static_name(u64 addr)
{
	char text[64];

	return sym_data(addr, text, sizeof(text)) ? strdup(text) : NULL;
}
