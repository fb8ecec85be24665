#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Do the readers of schedules, lock programs and certificates stand any file?
# The seeds of triage/fuzz and some mutants, under ASan and UBSan; make
# fuzz-readers tries 100,000.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $build = basename(dirname(abs_path($ENV{HEDDLE} // 'build/heddle')));
chdir $root or die;
my ($rc, $out, $err) = run('make', '-s', "B=$build", "$build/readers/fuzzer");
is "$rc$err", 0, 'the target is built';
($rc, $out, $err) = run(qw(sh triage/fuzz/readers.sh), $build, 1000, $dir);
is $rc, 0, 'no crash, no hang, no more memory than there may be'
	or diag join "\n", glob("$dir/{crash,timeout,oom,leak}-*"),
		substr $err, -2000;
like $err, qr/^stat::number_of_executed_units: 1000$/m, '... in 1000 inputs';
my ($covered) = reverse $err =~ /\bcov: (\d+)/g;
cmp_ok $covered, '>', 700, '... that get into the readers';
done_testing;
