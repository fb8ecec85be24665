/* SPDX-License-Identifier: MIT */
/* The python file that `heddle replay --gdb` gives to gdb, as a string. */
	.section .rodata
	.globl heddle_gdb_py
heddle_gdb_py:
	.incbin "triage/heddle-gdb.py"
	.byte 0
	.section .note.GNU-stack,"",%progbits
