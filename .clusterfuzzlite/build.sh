#!/bin/bash -eu
# SPDX-License-Identifier: MIT
exec sh "$SRC/heddle/fuzz/build.sh"
