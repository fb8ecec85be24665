#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Engines that are not libFuzzer: the mutator as a process, and AFL++.  The second
# builds every target anew, so it runs only on request: make test-engines.
use strict;
use warnings;
use FindBin;
use IPC::Open2;
use Test::More;
use lib $FindBin::Bin;
use Heddle;

# --- a target as a process that mutates
my $target = 'build/fuzz/fault_vs_munmap_fuzzer';

sub mutants {
	my ($parent, @seeds) = @_;
	my $pid = open2(my $from, my $to, $target, '--heddle-mutate');
	binmode $_ for $from, $to;
	my @mutants;
	for my $seed (@seeds) {
		print $to pack('LLL', $seed, 101, length $parent), $parent;
		$to->flush;
		read($from, my $size, 4) == 4 or last;
		read($from, my $mutant, unpack('L', $size));
		push @mutants, $mutant;
	}
	close $to;
	waitpid $pid, 0;
	return ($? >> 8, @mutants);
}

my $parent = pack('CL CCSS', 0, 0, 0, 0, 5, 1); # before task 0's op 5 run task 1
my ($rc, @mutants) = mutants($parent, 1 .. 200);
is $rc, 0, 'the end of its input ends it';
is scalar @mutants, 200, 'an answer for each request';
is scalar(grep { length > 101 || length($_) % 6 != 5 } @mutants), 0,
	'... a schedule, not larger than asked for';
my %different = map { $_ => 1 } @mutants;
cmp_ok scalar keys %different, '>', 100, '... one by seed';
my (undef, @again) = mutants($parent, 1 .. 200);
# The orders seen so far count, too: the same questions have the same answers.
is_deeply \@again, \@mutants, '... the same again';
my (undef, @of_nothing) = mutants('', 1 .. 5);
is scalar(grep { length } @of_nothing), 5, 'the empty input has mutants';

# --- AFL++
SKIP: {
	skip 'AFL++ on request only: make test-engines', 1 unless $ENV{ENGINES};
	my @driver = glob '/usr/lib/afl/libAFLDriver.a';
	skip 'AFL++ is not installed (afl++)', 1
		unless @driver && grep { -x "$_/afl-fuzz" } split /:/, $ENV{PATH};
	local %ENV = (%ENV, OUT => "$dir/afl", WORK => "$dir/work",
		CC => 'afl-clang-fast', CXX => 'afl-clang-fast++', CFLAGS => '-O2 -g',
		CXXFLAGS => '-O2 -g', LIB_FUZZING_ENGINE => $driver[0],
		FUZZING_ENGINE => 'afl', AFL_QUIET => 1, AFL_NO_UI => 1,
		AFL_SKIP_CPUFREQ => 1, AFL_NO_AFFINITY => 1,
		AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES => 1);
	my ($rc, $out, $err) = run('sh', 'fuzz/build.sh');
	is $rc, 0, 'fuzz/build.sh with afl-clang-fast' or diag $out, $err;
	mkdir "$dir/in";
	spew("$dir/in/empty", "\0" x 5);
	for my $how ('havoc', 'our mutator') {
		my $folder = "$dir/afl-$how" =~ s/ /-/r;
		local $ENV{AFL_CUSTOM_MUTATOR_LIBRARY} =
			"$ENV{OUT}/heddle_afl_mutator.so" if $how ne 'havoc';
		local $ENV{AFL_CUSTOM_MUTATOR_ONLY} = 1 if $how ne 'havoc';
		($rc, $out, $err) = run(qw(afl-fuzz -V 12 -i), "$dir/in", '-o',
			$folder, '--', "$ENV{OUT}/fault_vs_munmap-v6_fuzzer");
		is $rc, 0, "afl-fuzz with $how" or diag $out, $err;
		my %stats = slurp("$folder/default/fuzzer_stats") =~ /^(\w+) +: (\S+)/mg;
		note "$how: $stats{execs_done} runs, $stats{corpus_count} in the " .
			"corpus, $stats{saved_crashes} crashes";
		cmp_ok $stats{corpus_count}, '>', 5, '... its corpus grows';
		my @crashes = glob "$folder/default/crashes/id*";
		cmp_ok scalar @crashes, '>', 0, '... finds crashes';
		unlike $err, qr/does not mutate/, '... is answered';
		($rc, $out) = heddle('dedup', "$folder/default/crashes",
			'--scenario=fault_vs_munmap:v6');
		like $out, qr/^fault_vs_munmap:v6 \w/m, '... that heddle reads';
	}
}

done_testing;
