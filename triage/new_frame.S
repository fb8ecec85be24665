/* SPDX-License-Identifier: MIT */
/* The frame that `heddle new` writes, as a string. */
	.section .rodata
	.globl new_frame
new_frame:
	.incbin "triage/new_frame.txt"
	.byte 0
	.section .note.GNU-stack,"",%progbits
